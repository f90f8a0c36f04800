package stacks

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/stacks/internal/fixtures"
	"blog-deploy-pipeline/stacks/props"
)

const ofBlog = contract.MetricNamespace + " "

// watched lists what is watched of blogs with Monitoring: one that the function publishes, and one that CodePipeline's
// own action does.
var watched = []struct {
	props   props.Blog
	metrics []string // that its functions write
	alarms  []string // by namespace and metric
	topic   string   // "" for the one of the stack
}{
	{
		fixtures.Webhook,
		[]string{
			contract.MetricFilesPut, contract.MetricFilesRemoved, contract.MetricPublishSeconds,
			contract.MetricFailed, contract.MetricLate, contract.MetricSeconds, contract.MetricInvalidationItems, contract.MetricNeedlessEvictions,
			contract.MetricSecondsToLive, contract.MetricProofFailed,
		},
		[]string{ofBlog + contract.MetricFailed, ofBlog + contract.MetricLate, ofBlog + contract.MetricProofFailed, "AWS/Lambda Errors", "AWS/Lambda Errors"},
		fixtures.Webhook.Notifications.TopicARN,
	},
	{
		fixtures.Open,
		[]string{contract.MetricFailed, contract.MetricLate, contract.MetricSeconds},
		[]string{ofBlog + contract.MetricFailed, ofBlog + contract.MetricLate, "AWS/Lambda Errors"},
		"",
	},
}

func TestDashboard(t *testing.T) {
	for _, tt := range watched {
		t.Run(tt.props.Name, func(t *testing.T) {
			tmpl := template(t, tt.props)
			made := only(t, tmpl, "AWS::CloudWatch::Dashboard")
			place := fmt.Sprint(at(t, tmpl, map[string]any{"Ref": "AWS::Region"}))
			equal(t, "name", at(t, tmpl, made["DashboardName"]), tt.props.Name+"-"+place)
			var body struct {
				Start, PeriodOverride string

				Widgets []struct {
					Type                string
					X, Y, Width, Height int
					Properties          struct {
						Markdown, Title, Region, Stat string
						Period                        int
						Alarms                        []string
						Metrics                       [][]any
					}
				}
			}
			if err := json.Unmarshal([]byte(at(t, tmpl, made["DashboardBody"]).(string)), &body); err != nil {
				t.Fatal(err)
			}
			equal(t, "time", body.Start+" "+body.PeriodOverride, "-P28D inherit")
			taken := map[[2]int]bool{}
			var own, alarms []string
			functions := map[string]bool{}
			for _, w := range body.Widgets {
				for x := w.X; x < w.X+w.Width; x++ {
					for y := w.Y; y < w.Y+w.Height; y++ {
						if x < 0 || x > 23 || taken[[2]int{x, y}] {
							t.Fatalf("two widgets are at %d, %d, or none can be", x, y)
						}
						taken[[2]int{x, y}] = true
					}
				}
				alarms = append(alarms, w.Properties.Alarms...)
				if w.Type == "metric" && (w.Properties.Region != place || w.Properties.Period == 0 || w.Properties.Stat == "" || len(w.Properties.Metrics) == 0) {
					t.Errorf("the graph %q is of the region %q, every %d s, %q of %d metrics", w.Properties.Title, w.Properties.Region, w.Properties.Period, w.Properties.Stat, len(w.Properties.Metrics))
				}
				for _, m := range w.Properties.Metrics {
					switch fmt.Sprint(m[0], " ", m[2]) {
					case contract.MetricNamespace + " " + contract.DimensionBlog:
						own = append(own, m[1].(string))
						equal(t, "blog", m[3], tt.props.Name)
					case "AWS/CodePipeline PipelineName":
						equal(t, "pipeline", m[3], tt.props.Name)
					case "AWS/Lambda FunctionName":
						functions[m[3].(string)] = true
					default:
						t.Errorf("unknown metric %v", m)
					}
				}
			}
			slices.Sort(own)
			equal(t, "metrics", own, slices.Sorted(slices.Values(tt.metrics)))
			for _, f := range tmpl.OfType("AWS::Lambda::Function") {
				name := fmt.Sprint(at(t, tmpl, map[string]any{"Ref": f.ID}))
				if !functions[name] {
					t.Errorf("the dashboard does not show the function %s", name)
				}
			}
			equal(t, "alarms", len(alarms), len(tt.alarms))
			for _, a := range tmpl.OfType("AWS::CloudWatch::Alarm") {
				if arn := arnOf(t, tmpl, a.ID); !slices.Contains(alarms, arn) {
					t.Errorf("the dashboard does not show the alarm %s", arn)
				}
			}
			if text := body.Widgets[0].Properties.Markdown; !strings.Contains(text, "make status BLOG="+tt.props.Name) || !strings.Contains(text, "](https://") {
				t.Errorf("the first widget says %q, want the blog's address and command", text)
			}
		})
	}
	for _, given := range fixtures.Blogs {
		if tmpl := template(t, given); !given.Monitoring.Dashboard && len(tmpl.OfType("AWS::CloudWatch::Dashboard"))+len(tmpl.OfType("AWS::CloudWatch::Alarm")) > 0 {
			t.Errorf("%s has a dashboard or an alarm, which nobody wants", given.Name)
		}
	}
}

// TestAlarms checks which metrics have an alarm, and that it tells somebody.
func TestAlarms(t *testing.T) {
	for _, tt := range watched {
		t.Run(tt.props.Name, func(t *testing.T) {
			tmpl := template(t, tt.props)
			topic := tt.topic
			if topic == "" {
				topic = at(t, tmpl, map[string]any{"Ref": tmpl.OfType("AWS::SNS::Topic")[0].ID}).(string)
			}
			var got []string
			functions := map[string]bool{}
			for _, alarm := range tmpl.OfType("AWS::CloudWatch::Alarm") {
				of := alarm.Properties
				got = append(got, fmt.Sprint(of["Namespace"], " ", of["MetricName"]))
				equal(t, alarm.ID+"'s topic", at(t, tmpl, of["AlarmActions"]), []any{topic})
				equal(t, alarm.ID+" without data", of["TreatMissingData"], "notBreaching")
				equal(t, alarm.ID+"'s threshold", fmt.Sprint(of["Statistic"], of["ComparisonOperator"], of["Threshold"]), "SumGreaterThanOrEqualToThreshold1")
				if value := fmt.Sprint(at(t, tmpl, of, "Dimensions", 0, "Value")); of["Namespace"] == "AWS/Lambda" {
					functions[value] = true
				} else {
					equal(t, alarm.ID+"'s blog", value, tt.props.Name)
				}
				if tt.topic == "" {
					mayTell(t, tmpl, alarm)
				}
			}
			slices.Sort(got)
			equal(t, "alarms", got, slices.Sorted(slices.Values(tt.alarms)))
			equal(t, "functions", len(functions), len(tmpl.OfType("AWS::Lambda::Function")))
		})
	}
}

// mayTell checks that the policy of the stack's topic lets an alarm publish.
func mayTell(t *testing.T, tmpl *assembly.Template, alarm assembly.NamedResource) {
	t.Helper()
	statements := at(t, tmpl, only(t, tmpl, "AWS::SNS::TopicPolicy"), "PolicyDocument", "Statement").([]any)
	if !slices.ContainsFunc(statements, func(s any) bool {
		statement := s.(map[string]any)
		condition := fmt.Sprint(statement["Condition"])
		return statement["Effect"] == "Allow" && strings.Contains(condition, arnOf(t, tmpl, alarm.ID)) && strings.Contains(condition, "aws:SourceAccount")
	}) {
		t.Errorf("no statement of the topic's policy is for %s", alarm.ID)
	}
}
