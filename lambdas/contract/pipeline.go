package contract

// Pipeline is what dist/app tells dist/operate about a pipeline.
type Pipeline struct {
	// Name is that of the pipeline, and of its blog or service.
	Name string
	// Region is that of its stack; "" for the region of the credentials.
	Region string `json:",omitempty"`
}
