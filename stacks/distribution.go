package stacks

// PriceClass is a choice of CloudFront's edge locations. Visitors near one that is
// left out are served from the next, more slowly.
//
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/PriceClass.html
type PriceClass string

const (
	// AllEdges serves from everywhere.
	AllEdges PriceClass = "PriceClass_All"
	// FewerEdges leaves out South America, Australia and New Zealand.
	FewerEdges PriceClass = "PriceClass_200"
	// FewestEdges serves from North America, Europe and Israel.
	FewestEdges PriceClass = "PriceClass_100"
)
