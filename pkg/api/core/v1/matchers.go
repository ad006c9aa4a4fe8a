package v1

// StringMatch compares a string in one of several ways.
//
// +kubebuilder:validation:XValidation:rule="[has(self.exact), has(self.prefix), has(self.regex), has(self.suffix)].filter(x, x).size() <= 1",message="exact, prefix, regex and suffix cannot be combined"
// +kubebuilder:validation:XValidation:rule="!has(self.ignoreCase) || !self.ignoreCase || !(has(self.regex) || has(self.suffix))",message="ignoreCase applies to exact and prefix only"
type StringMatch struct {
	Exact  *string `json:"exact,omitempty"`
	Prefix *string `json:"prefix,omitempty"`
	Regex  *string `json:"regex,omitempty"`
	Suffix *string `json:"suffix,omitempty"`
	// Ignore case; only with exact and prefix.
	IgnoreCase bool `json:"ignoreCase,omitempty"`
}

// HTTPMatcher selects HTTP requests; all fields that are set must match. The fields prefix,
// exact and regex are the previous form of uri.
//
// +kubebuilder:validation:XValidation:rule="[has(self.prefix), has(self.exact), has(self.regex)].filter(x, x).size() <= 1",message="prefix, exact and regex cannot be combined"
// +kubebuilder:validation:XValidation:rule="!has(self.uri) || !(has(self.prefix) || has(self.exact) || has(self.regex))",message="uri excludes the deprecated prefix, exact and regex"
type HTTPMatcher struct {
	Name   string       `json:"name,omitempty"`
	Prefix *string      `json:"prefix,omitempty"`
	Exact  *string      `json:"exact,omitempty"`
	Regex  *string      `json:"regex,omitempty"`
	URI    *StringMatch `json:"uri,omitempty"`
	// Several conditions of the same polarity on one header conflict.
	//
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="[self.map(h, (has(h.invertMatch) && h.invertMatch ? '!' : '') + h.name.lowerAscii())].all(keys, keys.all(k, keys.exists_one(other, other == k)))",message="only one condition per header name and polarity"
	Headers []HeaderMatcher `json:"headers,omitempty"`
	// Several conditions on one query parameter contradict each other (D58).
	//
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:XValidation:rule="[self.map(q, q.name)].all(keys, keys.all(k, keys.exists_one(other, other == k)))",message="only one condition per query parameter"
	QueryParameters []QueryParameterMatcher `json:"queryParameters,omitempty"`
	Method          string                  `json:"method,omitempty"`
}

// HeaderMatcher compares a request header. An empty value only requires that the header is
// present.
type HeaderMatcher struct {
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Name  string `json:"name"`
	Value string `json:"value,omitempty"`
	// Treat value as a regular expression.
	Regex bool `json:"regex,omitempty"`
	// Match requests that do not satisfy the comparison.
	InvertMatch bool `json:"invertMatch,omitempty"`
}

// QueryParameterMatcher compares a query parameter.
type QueryParameterMatcher struct {
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Name  string `json:"name"`
	Value string `json:"value,omitempty"`
	// Treat value as a regular expression.
	Regex bool `json:"regex,omitempty"`
}

// TCPKeepalive configures the probing of idle connections by the operating system.
type TCPKeepalive struct {
	// Number of unanswered probes after which the connection is closed.
	//
	// +kubebuilder:validation:Minimum=0
	Probes   uint32    `json:"probes,omitempty"`
	Time     *Duration `json:"time,omitempty"`
	Interval *Duration `json:"interval,omitempty"`
}
