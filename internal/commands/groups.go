package commands

// The groups of the root command's help, in the order they are shown. A group
// without commands is left out.
const (
	groupExplain  = "explain"
	groupAuthor   = "author"
	groupRender   = "render"
	groupClusters = "clusters"
	groupOther    = "other"
)
