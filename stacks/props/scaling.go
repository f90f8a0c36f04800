package props

import (
	"cmp"
	"fmt"
)

// Scaling lets AWS add tasks when there is more to do, within minutes, and remove tasks when there has been
// less for a quarter of an hour. If both targets are set, the one that needs more tasks decides.
//
// You can add, change and remove it at any time. Adding it does not change the number of tasks, if that is
// from MinTasks to MaxTasks. When you remove it, the number stays as it is under CodeDeploy, and becomes
// DesiredCount under ECS. With ECS, a change is a deployment if it adds or removes Scaling. A new service
// starts with one task under ECS, and with DesiredCount under CodeDeploy; AWS adds tasks up to MinTasks as
// soon as it exists.
//
// During a deployment, AWS adds tasks, but does not remove any. Both versions have that many, so up to twice
// MaxTasks are running. CodeDeploy gives a deployment up if a task that was added is not healthy within 5
// minutes.
//
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-bluegreen.html
type Scaling struct {
	// MinTasks is the smallest number of tasks, 1 to 100. Default: 2, one in each zone.
	MinTasks int

	// MaxTasks is the largest number of tasks, MinTasks to 100. Required with one of the targets below.
	// Example: 10.
	MaxTasks int

	// CPUPercent is the part of their CPU that the tasks are meant to use on average, 1 to 99. The tasks of the
	// old version count, too: while they are kept without requests (KeepOld), the CPU seems half as busy as it
	// is. The two alarms cost 0.20 USD a month. Default: none. Example: 60.
	CPUPercent int

	// RequestsPerTask is the number of requests that a task is meant to get in a minute on average, 1 or more,
	// with those of both versions. After a quarter of an hour without any request, AWS has no data, and
	// removes no tasks, whatever CPUPercent says. The two alarms, with two metrics each, cost 0.40 USD a
	// month. Default: none. Example: 1000.
	RequestsPerTask int
}

// defaultDesiredCount and maxDesiredCount are the number of tasks without a choice, and the largest.
const defaultDesiredCount, maxDesiredCount = 2, 100

// withDefaults returns these props with every default in its field. If no field is set, there is no
// scaling, and no field has a default.
func (s Scaling) withDefaults() Scaling {
	if s != (Scaling{}) {
		s.MinTasks = cmp.Or(s.MinTasks, defaultDesiredCount)
	}
	return s
}

func (s Scaling) validate(p *problems) {
	if s == (Scaling{}) {
		return
	}
	least := s.MinTasks
	if least < 1 || least > maxDesiredCount {
		p.add("Scaling.MinTasks", s.MinTasks, "must be from 1 to 100 tasks")
		least = 1
	}
	if s.MaxTasks < least || s.MaxTasks > maxDesiredCount {
		p.add("Scaling.MaxTasks", s.MaxTasks, fmt.Sprintf("must be from %d, the smallest number, to 100 tasks", least))
	}
	if s.CPUPercent < 0 || s.CPUPercent > 99 {
		p.add("Scaling.CPUPercent", s.CPUPercent, "must be from 1 to 99 percent: tasks never use more than 100, so AWS would add none")
	}
	if s.RequestsPerTask < 0 {
		p.add("Scaling.RequestsPerTask", s.RequestsPerTask, "must be 1 or more requests a minute")
	}
	if s.CPUPercent == 0 && s.RequestsPerTask == 0 {
		p.add("Scaling.CPUPercent", s.CPUPercent, "must be set, to 60 for example, or RequestsPerTask must be set: without a target, AWS adds no tasks. For a fixed number, set DesiredCount only")
	}
}
