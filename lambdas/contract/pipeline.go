package contract

// Pipeline is what dist/app tells dist/operate about a pipeline, or about an existing service,
// which has none of this app's.
type Pipeline struct {
	// Name is that of the pipeline, and of its blog or service.
	Name string
	// Region is that of its stack; "" for the region of the credentials.
	Region string `json:",omitempty"`
	// Service says how a service is deployed; nil for a blog.
	Service *Service `json:",omitempty"`
}

// Service says how a service is deployed. An existing service has the names of what CodeDeploy,
// or ECS, calls it. The pipeline of another one has them.
type Service struct {
	Application     string `json:",omitempty"`
	DeploymentGroup string `json:",omitempty"`

	Cluster string `json:",omitempty"`
	Service string `json:",omitempty"`

	// Events are the moments of a deployment at which the hook is called.
	Events []string
}

// Existing reports whether p is an existing service, which has no pipeline of this app's.
func (p Pipeline) Existing() bool {
	return p.Service != nil && (p.Service.Application != "" || p.Service.Cluster != "")
}
