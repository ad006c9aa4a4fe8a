package check

// The categories.
const (
	CategoryManagement    = "management"
	CategoryClusters      = "clusters"
	CategoryMeshes        = "meshes"
	CategoryTrust         = "trust"
	CategoryConfiguration = "configuration"
)

// Categories returns all checks in report order: checks that others depend on
// come first.
func Categories() []Category {
	return []Category{managementCategory(), clustersCategory(), meshesCategory(), trustCategory(), configurationCategory()}
}

// CategoryIDs returns the IDs of the categories.
func CategoryIDs() []string {
	var ids []string
	for _, c := range Categories() {
		ids = append(ids, c.ID)
	}
	return ids
}

// noManagement returns why checks that need the management cluster are skipped;
// empty if it answered.
func noManagement(f *Facts) string {
	switch {
	case f.Management == nil && f.NoClusters:
		return "manifests are given, so no cluster is contacted"
	case f.Management == nil:
		return "contexts are given, so the management cluster is not checked; add --context to check it"
	case f.Management.Err != nil:
		return "it depends on " + idManagementReachable + ", which failed"
	default:
		return ""
	}
}
