package stacks

// HostedZone names a public hosted zone of Route 53. Nothing is looked up.
type HostedZone struct {
	// ID is the zone's id. Required. Example: "Z0123456789ABCDEFGHIJ".
	ID string

	// Name is the zone's name. Required. Example: "example.com".
	Name string
}

func (s Site) validateDomain(*problems) {}
