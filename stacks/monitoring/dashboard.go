package monitoring

import (
	"fmt"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/stacks/cdk"
)

// A dashboard has 24 columns.
const (
	columns     = 24
	graphHeight = 6
	textHeight  = 2
)

// The time that the graphs reach back, as an ISO 8601 duration, and the seconds of one point in them. Blogs are
// published a few times a week.
const (
	start  = "-P28D"
	period = 3600
)

// widget is a part of a dashboard.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
type widget struct {
	Type       string `json:"type"`
	X          int    `json:"x"`
	Y          int    `json:"y"`
	Width      int    `json:"width"`
	Height     int    `json:"height"`
	Properties any    `json:"properties"`
}

type text struct {
	Markdown string `json:"markdown"`
}

type alarms struct {
	Title  string   `json:"title"`
	Alarms []string `json:"alarms"`
}

type graph struct {
	Title   string   `json:"title"`
	Region  string   `json:"region"`
	Period  int      `json:"period"`
	Stat    string   `json:"stat"`
	Metrics []metric `json:"metrics"`
}

// metric is a namespace, a name, a dimension, its value, and a label.
type metric [5]any

func labelled(namespace, name, dimension, value, label string) metric {
	return metric{namespace, name, dimension, value, map[string]string{"label": label}}
}

// newDashboard makes the dashboard. The names of dashboards are those of the whole account, whatever the region.
func newDashboard(scope constructs.Construct, p Props, region string, toldOf []awscloudwatch.Alarm) {
	name := p.BlogName + "-" + region
	awscloudwatch.NewCfnDashboard(scope, jsii.String("Dashboard"), &awscloudwatch.CfnDashboardProps{
		DashboardName: jsii.String(name),
		DashboardBody: jsii.String(dashboardBody(p, region, toldOf)),
	})
	cdk.NewOutput(scope, "DashboardConsole", "Where to look at the blog's publications",
		fmt.Sprintf("https://%s.console.aws.amazon.com/cloudwatch/home?region=%[1]s#dashboards/dashboard/%s", region, name))
}

// dashboardBody returns the JSON of the dashboard, with one widget a line, because people read templates, too.
func dashboardBody(p Props, region string, toldOf []awscloudwatch.Alarm) string {
	var lines []string
	add := func(w widget) { lines = append(lines, contract.JSON(w)) }
	add(widget{Type: "text", Width: columns, Height: textHeight, Properties: text{heading(p, region)}})
	y := textHeight
	if len(toldOf) > 0 {
		list := alarms{Title: "Alarms"}
		for _, alarm := range toldOf {
			list.Alarms = append(list.Alarms, *alarm.AlarmArn())
		}
		add(widget{Type: "alarm", Y: y, Width: columns, Height: textHeight, Properties: list})
		y += textHeight
	}
	for i, g := range graphs(p) {
		g.Region, g.Period = region, period
		add(widget{Type: "metric", X: i % 2 * columns / 2, Y: y + i/2*graphHeight, Width: columns / 2, Height: graphHeight, Properties: g})
	}
	// Without "inherit" CloudWatch would choose the period.
	return fmt.Sprintf("{\"start\":%q,\"periodOverride\":\"inherit\",\"widgets\":[\n%s\n]}", start, strings.Join(lines, ",\n"))
}

// heading returns what the dashboard begins with, as Markdown.
func heading(p Props, region string) string {
	heading := "# " + p.BlogName + "\n"
	if p.Address != "" {
		// A parenthesis would end the link.
		heading += fmt.Sprintf("[%s](%s) · ", p.Address, strings.NewReplacer("(", "%28", ")", "%29").Replace(p.Address))
	}
	return heading + fmt.Sprintf("[pipeline](https://%s.console.aws.amazon.com/codesuite/codepipeline/pipelines/%s/view) · `make status BLOG=%[2]s`", region, p.BlogName)
}

// graphs returns the graphs of what the blog's functions measure.
func graphs(p Props) []graph {
	ofBlog := func(name, label string) metric {
		return labelled(contract.MetricNamespace, name, contract.DimensionBlog, p.BlogName, label)
	}
	ofFunctions := func(name, label string) (all []metric) {
		if p.Publish != nil {
			all = append(all, labelled(lambdaNamespace, name, lambdaDimension, *p.Publish.FunctionName(), "publish: "+label))
		}
		return append(all, labelled(lambdaNamespace, name, lambdaDimension, *p.Invalidate.FunctionName(), "invalidate: "+label))
	}
	took := []metric{ofBlog(contract.MetricSeconds, "invalidation")}
	missed := []metric{
		ofBlog(contract.MetricFailed, "invalidation failed"), ofBlog(contract.MetricLate, "invalidation late"),
		// https://docs.aws.amazon.com/codepipeline/latest/userguide/metrics-dimensions.html
		labelled("AWS/CodePipeline", "FailedPipelineExecutions", "PipelineName", p.BlogName, "execution failed"),
	}
	if p.Publish != nil {
		took = append(took, ofBlog(contract.MetricPublishSeconds, "publication"))
	}
	if p.Proves {
		took = append(took, ofBlog(contract.MetricSecondsToLive, "from the publication until readers have it"))
		missed = append(missed, ofBlog(contract.MetricProofFailed, "readers do not have it"))
	}

	var all []graph
	if p.Publish != nil {
		all = append(all, graph{Title: "Files of publications", Stat: "Sum", Metrics: []metric{
			ofBlog(contract.MetricFilesPut, "put"), ofBlog(contract.MetricFilesRemoved, "removed"),
		}})
	}
	all = append(all,
		graph{Title: "Seconds", Stat: "Maximum", Metrics: took},
		graph{Title: "What went wrong", Stat: "Sum", Metrics: missed},
	)
	if p.ClearsChanges {
		all = append(all, graph{Title: "Cleared", Stat: "Sum", Metrics: []metric{
			ofBlog(contract.MetricInvalidationItems, "paths and tags, of 1,000 that are free a month"), ofBlog(contract.MetricNeedlessEvictions, "files evicted needlessly"),
		}})
	}
	return append(all,
		graph{Title: "Functions that crashed or were throttled", Stat: "Sum", Metrics: append(ofFunctions("Errors", "errors"), ofFunctions("Throttles", "throttles")...)},
		graph{Title: "Milliseconds of functions", Stat: "Maximum", Metrics: ofFunctions("Duration", "duration")},
	)
}
