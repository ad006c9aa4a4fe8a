package finding

// Problem is one reason why an object is INVALID, with the code it is reported
// under.
type Problem struct {
	Code    Code
	Message string
}

// Unresolved reports whether the problem is a reference to something that is not
// there. What the other references of the object say holds nonetheless
// (semantics D69).
func (p Problem) Unresolved() bool {
	switch p.Code {
	case CodeMeshNotFound, CodeReferenceNotFound, CodeClusterWithoutMesh:
		return true
	default:
		return false
	}
}
