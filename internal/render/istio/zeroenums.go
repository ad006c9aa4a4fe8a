package istio

import (
	"google.golang.org/protobuf/reflect/protoreflect"
)

// alwaysWritten reports whether an enum field is also written with the value 0,
// which the JSON of protocol buffers omits. Enums whose value 0 is a real setting
// need this: otherwise `tls: {mode: DISABLE}` would become `tls: {}`, which
// server-side apply over another mode turns into a null that Istio's CRDs reject
// (D75). The action of an AuthorizationPolicy is still omitted, as is
// customary, and so are TLS versions, whose default is Istio's choice.
func alwaysWritten(field protoreflect.FieldDescriptor) bool {
	switch field.FullName() {
	case "istio.networking.v1alpha3.ClientTLSSettings.mode",
		"istio.networking.v1alpha3.ServerTLSSettings.mode",
		"istio.networking.v1alpha3.ConnectionPoolSettings.HTTPSettings.h2_upgrade_policy",
		"istio.networking.v1alpha3.ServiceEntry.location",
		"istio.networking.v1alpha3.ServiceEntry.resolution",
		"istio.security.v1beta1.PeerAuthentication.MutualTLS.mode":
		return true
	default:
		return false
	}
}

// writeZeroEnums adds the enum fields with value 0 of a message to its written
// form.
func writeZeroEnums(message protoreflect.Message, written map[string]any) {
	fields := message.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if field.Enum() != nil && alwaysWritten(field) && !message.Has(field) {
			written[field.JSONName()] = string(field.Enum().Values().ByNumber(0).Name())
		}
	}
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if field.Message() == nil {
			return true
		}
		switch inner := written[field.JSONName()].(type) {
		case map[string]any:
			if field.IsMap() {
				writeZeroEnumsOfMap(field, value.Map(), inner)
			} else {
				writeZeroEnums(value.Message(), inner)
			}
		case []any:
			for i, element := range inner {
				if fields, ok := element.(map[string]any); ok {
					writeZeroEnums(value.List().Get(i).Message(), fields)
				}
			}
		}
		return true
	})
}

func writeZeroEnumsOfMap(field protoreflect.FieldDescriptor, values protoreflect.Map, written map[string]any) {
	if field.MapValue().Message() == nil {
		return
	}
	values.Range(func(key protoreflect.MapKey, value protoreflect.Value) bool {
		if fields, ok := written[key.String()].(map[string]any); ok {
			writeZeroEnums(value.Message(), fields)
		}
		return true
	})
}
