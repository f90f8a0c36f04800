package main

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/fakeaws"
	"blog-deploy-pipeline/rehearse/functiontest"
)

// in runs work in a site whose bucket has a file of others.
func in(t *testing.T, cloud fakeaws.Options, work func(site)) {
	t.Helper()
	err := withSite(cloud, 0, func(s site) error {
		if err := s.put(t.Context(), contract.EnvSiteBucket, foreign, []byte(both[foreign])); err != nil {
			return err
		}
		work(s)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// publishes publishes a build, and checks how the action ends and that no rule is broken.
func (s site) publishes(t *testing.T, b build, committed int, summary string) fakeaws.Report {
	t.Helper()
	action, err := s.publish(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	report, _ := action.Last()
	broken, err := s.brokenRules(t.Context(), action, committed)
	if err != nil || len(broken) > 0 {
		t.Error(err, broken)
	}
	if action.Ended() != "success" || !strings.Contains(report.Summary, summary) {
		t.Fatalf("ended as %s with %q, want success with %q\n%s", action.Ended(), report.FailureMessage+report.Summary, summary, s.Function.Logs())
	}
	return report
}

func TestBinaryPublishes(t *testing.T) {
	in(t, fakeaws.Options{}, func(s site) {
		first := s.publishes(t, firstBuild, 1, "5 put")
		second := s.publishes(t, secondBuild, 2, "4 put")
		nothing := s.publishes(t, secondBuild, 3, "Nothing has changed since release "+second.OutputVariables["Release"])
		for i, tt := range []struct {
			report fakeaws.Report
			want   string
		}{
			{first, "5 put, 0 unchanged, 0 removed, 0 retired, 330 bytes"},
			{second, "4 put, 1 unchanged, 1 removed, 1 retired, 331 bytes"},
			{nothing, "0 put, 5 unchanged, 0 removed, 1 retired, 0 bytes"},
		} {
			v := tt.report.OutputVariables
			if got := fmt.Sprintf("%s put, %s unchanged, %s removed, %s retired, %s bytes", v["Put"], v["Unchanged"], v["Removed"], v["Retired"], v["Bytes"]); got != tt.want {
				t.Errorf("publication %d: %s, want %s", i+1, got, tt.want)
			}
			if tt.report.ExternalExecutionID != v["Release"] {
				t.Errorf("publication %d: the execution is %s, want the release %s", i+1, tt.report.ExternalExecutionID, v["Release"])
			}
		}
		files, err := s.files(t.Context(), contract.EnvSiteBucket)
		if err != nil {
			t.Fatal(err)
		}
		if differs := files.differs(both); differs != "" {
			t.Error(differs)
		}
		if !strings.Contains(s.Function.Logs(), foreign) {
			t.Error("the log does not name the file of others")
		}
	})
}

func TestBinaryRefusals(t *testing.T) {
	misspelt := parameters()
	misspelt.AllowDeletions = "sure"
	good := firstBuild.zip()
	for _, tt := range []struct {
		name       string
		archive    []byte
		key        string // default: that of the archive
		parameters contract.PublishParameters
		env        map[string]string
		want, text string
	}{
		{name: "no home page", archive: firstBuild.with(build{"index.html": ""}).zip(), want: "ConfigurationError", text: "index.html"},
		{name: "no archive", archive: []byte("<html>"), want: "ConfigurationError", text: "nothing was published"},
		{name: "a name that leads out", archive: firstBuild.with(build{"/etc/x": "x"}).zip(), want: "ConfigurationError", text: "/etc/x"},
		{name: "no build", archive: good, key: "gone", want: "ConfigurationError", text: "NoSuchKey"},
		{name: "no bucket", archive: good, env: map[string]string{contract.EnvSiteBucket: "gone-" + strings.ToLower(t.Name())}, want: "ConfigurationError", text: "NoSuchBucket"},
		{name: "settings", archive: good, env: map[string]string{contract.EnvGrace: "soon", contract.EnvMaxDeletePercent: "101"}, want: "ConfigurationError", text: contract.EnvMaxDeletePercent + ` is "101"`},
		{name: "variable", archive: good, parameters: misspelt, want: "ConfigurationError", text: "start the pipeline with yes or no"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			setup := functiontest.Setup{
				Binary: binary, Name: "publish", Env: []map[string]string{tt.env},
				Buckets: []string{contract.EnvSiteBucket, contract.EnvReleases, envBuilds},
			}
			err := functiontest.With(setup, func(w *functiontest.World) error {
				s := site{w}
				key, err := s.store(t.Context(), tt.archive)
				if err != nil {
					return err
				}
				if tt.key != "" {
					key = tt.key
				}
				if tt.parameters.PipelineName == "" {
					tt.parameters = parameters()
				}
				action, err := s.startFrom(key, tt.parameters)
				if err != nil {
					return err
				}
				if err := action.Deliver(t.Context()); err != nil {
					return err
				}
				report, _ := action.Last()
				if got := action.Ended(); got != tt.want || !strings.Contains(report.FailureMessage, tt.text) {
					t.Errorf("ended as %s, %q, want %s with %q", got, report.FailureMessage+report.Summary, tt.want, tt.text)
				}
				if broken := s.BrokenRules(action.Record()); len(broken) > 0 {
					t.Error(broken)
				}
				if n := s.Count(functiontest.Operation("PutObject", contract.EnvSiteBucket, "")); n > 0 {
					t.Errorf("put %d files", n)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// The same event, delivered again after the end, changes nothing.
func TestBinaryDeliveredAgainAfterTheEnd(t *testing.T) {
	in(t, fakeaws.Options{}, func(s site) {
		action, err := s.start(t.Context(), firstBuild)
		if err != nil {
			t.Fatal(err)
		}
		if err := action.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.publishes(t, secondBuild, 2, "4 put")
		writes := func() int { return s.Count(functiontest.Calls("s3:PutObject")) }
		before := writes()
		action.DeliverAgain(t.Context())
		s.Wait()
		if after := writes(); after != before {
			t.Errorf("the second delivery wrote %d objects", after-before)
		}
		if n := s.ReportedTwice(); n != 1 {
			t.Errorf("CodePipeline refused %d reports, want that of the second delivery", n)
		}
	})
}

// Two executions of a pipeline publish one after the other.
func TestBinaryWaitsForAnotherPublication(t *testing.T) {
	for _, keepID := range []bool{false, true} { // AWS does not document whether CodePipeline keeps a job's id
		var s site
		waits := make(chan struct{})
		cloud := fakeaws.Options{Fault: func(call fakeaws.Call) fakeaws.Fault {
			// The first publication stops at its first file until the second one has begun.
			if call.Operation == "PutObject" && call.Principal != "" && strings.Contains(call.Resource, oldStyle) {
				<-waits
			}
			return fakeaws.Fault{}
		}}
		in(t, cloud, func(made site) {
			s = made
			var actions []*functiontest.Action
			for range 2 {
				key, err := s.store(t.Context(), firstBuild.zip())
				if err != nil {
					t.Fatal(err)
				}
				action, err := s.Start(fakeaws.Action{
					FunctionName: "publish", UserParameters: contract.JSON(parameters()), KeepJobID: keepID,
					Input: fakeaws.Artifact{Name: "Site", Bucket: s.Buckets[envBuilds], Key: key},
				})
				if err != nil {
					t.Fatal(err)
				}
				actions = append(actions, action)
			}
			ended := make(chan error)
			go func() { ended <- actions[0].Deliver(t.Context()) }()
			for s.Count(functiontest.Operation("PutObject", contract.EnvSiteBucket, "css/*")) == 0 {
				time.Sleep(10 * time.Millisecond)
			}
			go func() { ended <- actions[1].Deliver(t.Context()) }()
			for !strings.Contains(s.Function.Logs(), "another publication") {
				time.Sleep(10 * time.Millisecond)
			}
			close(waits)
			for range actions {
				if err := <-ended; err != nil {
					t.Fatal(err)
				}
			}
			for i, action := range actions {
				if broken := s.BrokenRules(action.Record()); action.Ended() != "success" || len(broken) > 0 {
					report, _ := action.Last()
					t.Errorf("publication %d ended as %s, %s, broken rules %q, want success", i+1, action.Ended(), report.FailureMessage, broken)
				}
			}
			if report, _ := actions[1].Last(); report.OutputVariables["Put"] != "0" {
				t.Errorf("the second publication put %s files, want none", report.OutputVariables["Put"])
			}
			if state, err := s.state(t.Context()); err != nil || commits(state) != 2 {
				t.Errorf("%d publications were committed, %v, want 2", commits(state), err)
			}
		})
	}
}

// A publication that needs more time than a call of the function goes on in the next one.
func TestBinaryContinues(t *testing.T) {
	const images, workers = 500, 64
	many := maps.Clone(firstBuild)
	for i := range images {
		many[fmt.Sprintf("img/%d.svg", i)] = fmt.Sprintf("<svg>%d</svg>", i)
	}
	slow := fakeaws.Options{Written: func(w fakeaws.Write) {
		if strings.HasPrefix(w.Key, "img/") {
			time.Sleep(500 * time.Millisecond)
		}
	}}
	in(t, slow, func(s site) {
		s.publishes(t, many, 1, fmt.Sprint(len(many), " put"))
		continued := s.Count(functiontest.Reports("codepipeline:PutJobSuccessResult", "InProgress"))
		if continued == 0 {
			t.Error("one call was enough, so the test shows nothing")
		}
		// A call may end before it knows of those that it has begun.
		if n := s.Count(functiontest.Operation("PutObject", contract.EnvSiteBucket, "img/*")); n > images+continued*workers {
			t.Errorf("put %d images in %d calls, want each of the %d once", n, continued+1, images)
		}
	})
}
