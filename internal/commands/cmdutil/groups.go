package cmdutil

// The groups of the root command's help, in the order they are shown. A group
// without commands is left out.
const (
	GroupExplain  = "explain"
	GroupAuthor   = "author"
	GroupRender   = "render"
	GroupClusters = "clusters"
	GroupOther    = "other"
)
