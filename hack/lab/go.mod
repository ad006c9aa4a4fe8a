module github.com/meshctl/meshctl/hack/lab

go 1.26.0

require (
	github.com/google/go-cmp v0.7.0
	golang.org/x/net v0.55.0
)

require golang.org/x/text v0.37.0 // indirect
