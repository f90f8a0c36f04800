package props

// Monitoring says what CloudWatch shows of a blog's publications, and what it tells of them besides the failed stages
// that Notifications are about. Both read metrics that are there in any case: docs/costs.md has their prices. A blog
// that CodePipeline's own action publishes has fewer of them.
type Monitoring struct {
	// Dashboard makes a dashboard in CloudWatch for the last four weeks: files put and removed, seconds until
	// readers have a publication, invalidations that failed or were late, what was evicted needlessly, and the
	// functions' errors, durations and throttles. It costs 3 USD a month, after the first three of the account, which
	// are free. Default: false.
	// https://aws.amazon.com/cloudwatch/pricing/
	Dashboard bool

	// Alarms makes three to five alarms, which tell Notifications: an invalidation failed; CloudFront was late;
	// readers do not have what was published (if the pipeline looks for that: Invalidate.Verify); a function
	// crashed (one alarm for each). They also tell of what happens outside of the pipeline, as in `make rollback`, and
	// of what OnFailureProceed forgives. Each costs 0.10 USD a month, after the first ten of the account, which are
	// free. Requires Notifications. Default: false.
	Alarms bool
}

func (m Monitoring) validate(p *problems, notifications Notifications) {
	if m.Alarms && notifications.isNobody() {
		p.add("Monitoring.Alarms", true, nobodyToTell)
	}
}
