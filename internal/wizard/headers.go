package wizard

import (
	"maps"
	"slices"
	"strings"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// headers asks for headers to add and to remove.
func (f *flow) headers(label, about string, in *networkingv1.HeaderManipulation) setting {
	list := []setting{
		addHeaders(f, "Add to requests", "request header to add", &in.AppendRequestHeaders),
		addHeaders(f, "Add to responses", "response header to add", &in.AppendResponseHeaders),
		wordList(f, "Remove from requests", "names of request headers to remove", "Request headers to remove:", checkHeaderName, &in.RemoveRequestHeaders),
		wordList(f, "Remove from responses", "names of response headers to remove", "Response headers to remove:", checkHeaderName, &in.RemoveResponseHeaders),
	}
	return setting{
		label: label, about: about,
		now: func() string { return unlessDefaults(settingsText(list)) },
		ask: func() error {
			return f.settings(Question{
				Text: "Which header changes do you want?", AtLeastOne: true, Help: "Select the changes; you enter the names next.",
			}, list)
		},
		clear: func() { *in = networkingv1.HeaderManipulation{} },
	}
}

// addHeaders asks for headers one by one: a value may contain commas.
func addHeaders(f *flow, label, noun string, at *map[string]string) setting {
	return setting{
		label: label, about: "NAME=VALUE, one after the other",
		now: func() string { return labelsText(*at) },
		ask: func() error {
			list, err := editList(f, noun+"s", pairs(*at), Option{}, func(p string) string { return p }, func() ([]string, error) {
				answer, err := f.Input(Question{
					Text: strings.ToUpper(noun[:1]) + noun[1:] + ", NAME=VALUE:", Help: "Such as x-team=payments. An existing header gets an additional value.",
				}, "", checkHeader)
				return []string{answer}, err
			})
			if err != nil {
				return err
			}
			headers := map[string]string{}
			for _, pair := range list {
				name, value, _ := strings.Cut(pair, "=")
				headers[name] = value
			}
			*at = headers
			return nil
		},
		clear: func() { *at = nil },
	}
}

// pairs writes a map as sorted NAME=VALUE.
func pairs(m map[string]string) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		list = append(list, name+"="+m[name])
	}
	return list
}

// cors asks for the answer to cross-origin requests.
func (t *trafficPolicy) cors(label, about string) setting {
	in := &t.in.CORS
	origins := setting{
		label: "Origins", about: "allowed origins, such as https://shop.example.com",
		now: func() string { return listText(in.AllowOrigins, stringMatchText) },
		ask: func() (err error) {
			in.AllowOrigins, err = editList(t.flow, "origins", in.AllowOrigins, Option{}, stringMatchText, func() ([]core.StringMatch, error) {
				m, err := t.stringMatch("origin", core.StringMatch{})
				return []core.StringMatch{m}, err
			})
			return err
		},
		clear: func() { in.AllowOrigins = nil },
	}
	list := []setting{
		origins,
		{
			label: "Methods", about: "allowed methods",
			now: func() string { return strings.Join(in.AllowMethods, ", ") },
			ask: func() (err error) {
				in.AllowMethods, err = t.methods(in.AllowMethods)
				return err
			},
			clear: func() { in.AllowMethods = nil },
		},
		wordList(t.flow, "Request headers", "allowed request headers", "Allowed request headers:", checkHeaderName, &in.AllowHeaders),
		wordList(t.flow, "Response headers", "response headers exposed to the page", "Response headers to expose:", checkHeaderName, &in.ExposeHeaders),
		duration(t.flow, "Max age", "how long browsers cache the answer", "Max age:", "24h", &in.MaxAge),
		toggle("Credentials", "allow cookies in requests", &in.AllowCredentials),
	}
	return setting{
		label: label, about: about,
		now: func() string { return unlessDefaults(settingsText(list)) },
		ask: func() error {
			return t.settings(Question{
				Text: "Which CORS settings do you want to set?", AtLeastOne: true, Help: "Browsers ask a service whether pages of other origins may call it. Select the settings of the answer.",
			}, list)
		},
		clear: func() { *in = networkingv1.CORSPolicy{} },
	}
}

// methods asks for HTTP methods.
func (f *flow) methods(current []string) ([]string, error) {
	return f.strings("Which methods?", "Select the HTTP methods.", httpMethods(), current)
}

func httpMethods() []string {
	return []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"}
}
