package world

// ObjectID names one object of the mesh API or of discovery.
type ObjectID struct{ Kind, Namespace, Name, Cluster string }

// String returns KIND/NAME.NAMESPACE or KIND/NAME.NAMESPACE.CLUSTER, the name
// part in the form that commands accept.
func (o ObjectID) String() string {
	s := o.Kind + "/" + o.Name
	for _, part := range []string{o.Namespace, o.Cluster} {
		if part != "" {
			s += "." + part
		}
	}
	return s
}

// MeshID returns the ID of a mesh.
func MeshID(m *Mesh) ObjectID {
	return ObjectID{Kind: "Mesh", Namespace: m.Ref.Namespace, Name: m.Ref.Name}
}

// WorkloadID returns the ID of a workload.
func WorkloadID(w *Workload) ObjectID {
	return ObjectID{Kind: "Workload", Namespace: w.Namespace, Name: w.Name, Cluster: w.Cluster}
}

// DestinationID returns the ID of a Destination.
func DestinationID(d *Destination) ObjectID {
	return ObjectID{Kind: "Destination", Namespace: d.Ref.Namespace, Name: d.Ref.Name, Cluster: d.Ref.ClusterName}
}
