package finding

// Problem is a reason why an object is INVALID, with the code of its finding.
type Problem struct {
	Code    Code
	Message string
}

// Unresolved reports whether the problem is a reference that does not resolve.
// Other references of the object stay effective (D69).
func (p Problem) Unresolved() bool {
	switch p.Code {
	case CodeMeshNotFound, CodeReferenceNotFound, CodeClusterWithoutMesh:
		return true
	default:
		return false
	}
}
