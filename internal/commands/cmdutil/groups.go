package cmdutil

// Groups of the root command's help, in the order shown. Empty groups are omitted.
const (
	GroupExplain  = "explain"
	GroupAuthor   = "author"
	GroupRender   = "render"
	GroupClusters = "clusters"
	GroupOther    = "other"
)
