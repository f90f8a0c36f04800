package stacks

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"blog-deploy-pipeline/rehearse/assembly"
	"blog-deploy-pipeline/stacks/props"
)

// Deployments change what a template describes: they move the actions of listeners and rules, and ECS runs
// another revision than the template names. An update of one of these resources by CloudFormation undoes
// that, and CloudFormation cannot update a service that CodeDeploy deploys. The tables of changes change
// each prop alone. They say which of these resources the update reaches, and which others it replaces or
// removes with their contents.

// change describes a change of one prop after the first deployment.
type change[T any] struct {
	// prop is the prop that changes, such as "Container.CPU". how distinguishes rows of the same prop.
	prop, how string
	// before sets what the props have before the change. It may be nil.
	before func(*T)
	after  func(*T)
	// effects lists, by controller (blogs have ""), what the update does to guarded resources, and which
	// resources it replaces or removes. "" stands for no effect, and … at the end for more of them.
	effects map[props.Controller]string
	// refused is in what Validate says of the change, if that is not valid. Such a row has no effects.
	refused string
	// says has the parts of the prop's comment that tell of these effects, with … between them.
	says string
}

// Parts of comments that several rows have.
const (
	// never is for what cannot be changed. The effects show why.
	never = "cannot be changed"
	// deploys is for properties of a service that ECS deploys: after an update, ECS deploys the newest
	// version once more.
	deploys = "ECS, a change is a deployment"
	// begins is for properties that a service under CodeDeploy has, too.
	begins = "only what the service begins with"
	// stays is for the account and the region of a stack.
	stays = "and the first stays"
	// toBlue is for properties of the production listener, whose action CodeDeploy changes. ECS changes a
	// rule of the listener instead.
	toBlue = "With CodeDeploy, a change points production at the target group Blue…With ECS, visitors stay where they are"
)

// unseen is the effect of a prop that only Validate reads.
const unseen = "nothing at all"

// both are the effects under each controller.
func both(effects string) map[props.Controller]string {
	return map[props.Controller]string{props.ControllerCodeDeploy: effects, props.ControllerECS: effects}
}

// guarded lists the types of resources that an update must not touch.
var guarded = []string{"AWS::ElasticLoadBalancingV2::Listener", "AWS::ElasticLoadBalancingV2::ListenerRule", "AWS::ECS::Service", "AWS::CloudFront::VpcOrigin"}

// passing lists types whose resources have no contents: an update may make and remove them.
var passing = []string{
	"AWS::Budgets::Budget", "AWS::CertificateManager::Certificate", "AWS::CloudFront::ResponseHeadersPolicy", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::CodePipeline::Webhook", "AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress", "AWS::Events::Rule", "AWS::IAM::Policy", "AWS::IAM::Role",
	"AWS::Lambda::EventInvokeConfig", "AWS::Lambda::Permission", "AWS::S3::BucketPolicy", "AWS::SNS::Subscription", "AWS::SNS::TopicPolicy",
}

// variant describes one app that the tables need.
type variant struct {
	dir     string
	props   any // BlogProps or a Service
	tagging int // of taggings
}

// variants returns the templates before and after each change, of all tables, and where
// they are.
func variants() (all []variant, of map[string][2]string) {
	of = map[string][2]string{}
	dir := func(given any, tagging int) string {
		for _, v := range all { // most rows have the same template before
			if v.tagging == tagging && reflect.DeepEqual(v.props, given) {
				return v.dir
			}
		}
		v := variant{strconv.Itoa(len(all)), given, tagging}
		all = append(all, v)
		return v.dir
	}
	for _, by := range []props.Controller{props.ControllerCodeDeploy, props.ControllerECS} {
		for _, c := range serviceChanges {
			before, after := c.apply(func() props.FargateService { return changedService(by) })
			of[c.row(by)] = [2]string{dir(before, 0), dir(after, 0)}
		}
		for i, how := range taggings {
			after := taggedService(by)
			after.Tagged = how.kept
			of[how.row(by)] = [2]string{dir(taggedService(by), 0), dir(after, i)}
		}
	}
	for _, c := range existingChanges {
		if c.refused != "" {
			continue
		}
		before, after := c.apply(changedExisting)
		of[c.row("existing")] = [2]string{dir(before, 0), dir(after, 0)}
	}
	for _, c := range blogChanges {
		before, after := c.apply(changedBlog)
		of[c.row("blog")] = [2]string{dir(before, 0), dir(after, 0)}
	}
	for i, how := range taggings {
		of[how.row("blog")] = [2]string{dir(taggedBlog(), 0), dir(taggedBlog(), i)}
	}
	return all, of
}

func (c change[T]) row(of props.Controller) string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", of, c.prop, c.how))
}

func (how tagging) row(of props.Controller) string {
	return fmt.Sprintf("%s with a tag %s", of, how.name)
}

// apply returns the props before and after the change. They share no list.
func (c change[T]) apply(from func() T) (before, after T) {
	before, after = from(), from()
	if c.before != nil {
		c.before(&before)
		c.before(&after)
	}
	c.after(&after)
	return before, after
}

// synthVariants makes the templates of all variants, each in an app of its own, below a
// folder.
func synthVariants(dir string) {
	all, _ := variants()
	for _, v := range all {
		app, how := newApp(filepath.Join(dir, v.dir), nil), taggings[v.tagging]
		switch given := v.props.(type) {
		case props.Blog:
			how.tag(app, NewBlogStack(app, given))
		case props.Service:
			how.tag(app, NewServiceStack(app, given))
			if how.refused {
				check(os.WriteFile(filepath.Join(dir, v.dir+refusal), []byte(panicOf(func() { app.Synth(nil) })), 0o600))
				continue
			}
		}
		app.Synth(nil)
	}
}

// TestChanges compares the effects of each change with the tables, and the tables with the comments of the
// props.
func TestChanges(t *testing.T) {
	t.Parallel() // it waits for another process
	dir := t.TempDir()
	synthElsewhere(t, dir)
	_, rows := variants()
	comments, spec := propComments(t), readSpec(t)
	load := func(name string) map[string]*assembly.Template {
		loaded, err := assembly.Load(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		stacks := map[string]*assembly.Template{}
		for _, tmpl := range loaded {
			stacks[tmpl.Name] = tmpl
		}
		return stacks
	}
	check := func(t *testing.T, row, prop, want, says string) {
		t.Helper()
		got := effectsOf(load(rows[row][0]), load(rows[row][1]), spec)
		if start, more := strings.CutSuffix(want, "…"); got != want && (!more || !strings.HasPrefix(got, start)) {
			t.Errorf("a change of %s does:\n%q\nwant\n%q\nKeep the change from doing so. Only if it must: say in the prop's comment what then happens and what to do, and here which words say so", row, got, want)
		}
		if want != "" && want != unseen && says == "" {
			t.Errorf("%s: the row's says is empty: which words of the comment of %s tell what a change does?", row, prop)
		}
		of, _, _ := strings.Cut(prop, ".")
		for part := range strings.SplitSeq(says, "…") {
			if !strings.Contains(comments[of]+"\n"+comments[prop], part) {
				t.Errorf("the comment of %s is\n%s\nwant %q in it, or in that of %s: what a change does is to be said there; if other words say it, put them into the row", prop, comments[prop], part, of)
			}
		}
		if (want == "" || want == unseen) && strings.Contains(comments[prop], never) {
			t.Errorf("the comment of %s says that it %s, and its change does no harm", prop, never)
		}
	}
	for _, c := range serviceChanges {
		for _, by := range []props.Controller{props.ControllerCodeDeploy, props.ControllerECS} {
			t.Run(c.row(by), func(t *testing.T) { check(t, c.row(by), c.prop, c.effects[by], c.says) })
		}
	}
	for _, c := range existingChanges {
		if c.refused != "" {
			_, after := c.apply(changedExisting)
			if err := after.Validate(); err == nil || !strings.Contains(err.Error(), c.refused) {
				t.Errorf("%s: got %v, want %q", c.row("existing"), err, c.refused)
			}
			continue
		}
		t.Run(c.row("existing"), func(t *testing.T) { check(t, c.row("existing"), c.prop, c.effects[""], c.says) })
	}
	for _, c := range blogChanges {
		t.Run(c.row("blog"), func(t *testing.T) { check(t, c.row("blog"), c.prop, c.effects[""], c.says) })
	}
	for _, how := range taggings[1:] {
		for _, of := range []props.Controller{props.ControllerCodeDeploy, props.ControllerECS, "blog"} {
			row := how.row(of)
			t.Run(row, func(t *testing.T) {
				want := "" // It reaches something, and nothing that must not be touched.
				switch {
				case of != "blog" && how.refused:
					wantRefusal(t, filepath.Join(dir, rows[row][1]+refusal))
					return
				case how.refused:
					want = unseen // by the template
				case of == props.ControllerCodeDeploy && how.kept:
					want = "updates LoadBalancerProduction, updates LoadBalancerRedirect, updates LoadBalancerTest, updates Service"
				case of == props.ControllerECS && how.kept:
					want = "updates LoadBalancerProduction, updates LoadBalancerRedirect, updates LoadBalancerTest, updates ProductionRule, updates Service, updates TestRule"
				}
				if got := effectsOf(load(rows[row][0]), load(rows[row][1]), spec); got != want {
					t.Errorf("a tag does:\n%q\nwant\n%q\nwithoutTags keeps tags off what deployments change", got, want)
				}
			})
		}
	}
}
