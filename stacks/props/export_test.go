package props

// What the tests of this package use of its inside.
const (
	MaxDistributionID = maxDistributionID
	MaxEnvironment    = maxEnvironment
	MaxGrants         = maxGrants
	MaxHSTS           = maxHSTS
	MaxUserParameters = maxUserParameters
)

var (
	DistributionPattern = distributionPattern
	EachString          = eachString
	ExampleValues       = exampleValues
	HugoFingerprints    = hugoFingerprints
	PathProblem         = pathProblem
	Regions             = regions
)

// Cleared returns the paths that CloudFront is told to clear.
func (i Invalidate) Cleared(site *Site) []string { return i.cleared(site) }

// Memory returns for each CPU the most MiB that Fargate offers.
func Memory() map[int]int {
	most := map[int]int{}
	for cpu, pair := range memories {
		most[cpu] = pair.most
	}
	return most
}

// GrantsSize returns the number of characters of the grants of all secrets.
func (c Container) GrantsSize() int { return c.taskSecrets().grantsSize() }
