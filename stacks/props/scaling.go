package props

import (
	"cmp"
	"fmt"
)

// Scaling has AWS add tasks when there is more to do, within minutes, and take them
// away when there has been less for a quarter of an hour. Of two targets, the one that
// needs more tasks decides.
//
// It can be added, changed and taken away at any time. Added, it leaves the number of
// tasks as it is, if that is from MinTasks to MaxTasks. Taken away, the number stays
// what it is under CodeDeploy; under ECS it is DesiredCount's from then on. With ECS, a
// change is a deployment if it adds Scaling or takes it away. A new service begins with
// one task under ECS, with DesiredCount under CodeDeploy, and MinTasks follow as soon as
// it is there.
//
// While a deployment is under way, tasks are added, but not taken away, and as both
// versions have that many, up to twice MaxTasks run. CodeDeploy gives a deployment up
// if tasks that were added meanwhile are not healthy within 5 minutes.
//
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-bluegreen.html
type Scaling struct {
	// MinTasks is the least number of tasks, 1 to 100. Default: 2, one in each zone.
	MinTasks int

	// MaxTasks is the most, from MinTasks to 100. Required with one of the targets
	// below. Example: 10.
	MaxTasks int

	// CPUPercent is how much of their CPU the tasks are to use on average, 1 to 99.
	// The old version's tasks count, too: while they are kept without requests
	// (KeepOld), CPU looks half as busy as it is. Its two alarms cost 0.20 USD a
	// month. Default: none. Example: 60.
	CPUPercent int

	// RequestsPerTask is how many requests a task is to get in a minute on average, 1
	// or more; both versions' are counted. In a quarter of an hour without a single
	// request AWS has no data, and takes no tasks away, whatever CPUPercent says. Its
	// two alarms, of two metrics each, cost 0.40 USD a month. Default: none. Example:
	// 1000.
	RequestsPerTask int
}

// WithDefaults returns these props with every default in its field. Props that are not
// set at all stay so: there is no scaling then.
func (s Scaling) WithDefaults() Scaling {
	if s != (Scaling{}) {
		s.MinTasks = cmp.Or(s.MinTasks, defaultDesiredCount)
	}
	return s
}

func (s Scaling) validate(p *Problems) {
	if s == (Scaling{}) {
		return
	}
	least := s.MinTasks
	if least < 1 || least > MaxDesiredCount {
		p.add("Scaling.MinTasks", s.MinTasks, "must be from 1 to 100 tasks")
		least = 1
	}
	if s.MaxTasks < least || s.MaxTasks > MaxDesiredCount {
		p.add("Scaling.MaxTasks", s.MaxTasks, fmt.Sprintf("must be from %d, the least, to 100 tasks", least))
	}
	if s.CPUPercent < 0 || s.CPUPercent > 99 {
		p.add("Scaling.CPUPercent", s.CPUPercent, "must be from 1 to 99 percent: more than 100 is never used, so no tasks would be added")
	}
	if s.RequestsPerTask < 0 {
		p.add("Scaling.RequestsPerTask", s.RequestsPerTask, "must be 1 or more requests a minute")
	}
	if s.CPUPercent == 0 && s.RequestsPerTask == 0 {
		p.add("Scaling.CPUPercent", s.CPUPercent, "must be set, such as to 60, or RequestsPerTask must: without a target no tasks are added. For a fixed number take DesiredCount alone")
	}
}
