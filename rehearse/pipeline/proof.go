package pipeline

import (
	"net/http"
	"slices"
	"sync"

	"blog-deploy-pipeline/lambdas/contract"
	"blog-deploy-pipeline/rehearse/edge"
	"blog-deploy-pipeline/rehearse/fakeaws"
)

// lookHere has a function that looks whether a publication is live look at the site that readers visit on this machine,
// and at no other one.
func (w *world) lookHere(f *Function, env map[string]string) {
	switch site := env[contract.EnvVerify]; {
	case site == "":
	case w.visiting == nil:
		delete(env, contract.EnvVerify)
		w.record.Note("the function %s does not look here whether what it clears is live at %s, because readers visit no site", f.ID, site)
	default:
		env[contract.EnvVerifyAt] = w.visiting.LookAt()
		w.record.Note("the function %s looks at the edge of this rehearsal in place of %s: DNS, the certificate and web ACLs are left out", f.ID, site)
	}
}

// intercept answers a function that looks whether a publication is live, where a fault has something else answer than
// the edge.
func (w *world) intercept(answer http.ResponseWriter, _ *http.Request) bool {
	fault := w.Faults["edge"]
	if fault != "blocked" && fault != "down" {
		return false
	}
	w.looked.Do(func() { w.struck("edge", "each look at the site") })
	if fault == "down" {
		panic(http.ErrAbortHandler) // The server closes the connection.
	}
	// https://docs.aws.amazon.com/waf/latest/developerguide/waf-captcha-and-challenge-how-it-works.html
	answer.Header().Set("X-Amzn-Waf-Action", "challenge")
	answer.Header().Set("Cache-Control", "no-store, max-age=0")
	answer.WriteHeader(http.StatusAccepted)
	return true
}

// atEdge returns the invalidations that the edge obeys.
func (w *world) atEdge() edge.Invalidations {
	if w.Faults["edge"] != "stale" {
		return w.cloud
	}
	return &unheeded{made: w.cloud, struck: func(id string) { w.struck("edge", "the invalidation "+id) }}
}

// unheeded are invalidations that an edge does not obey, although CloudFront says that they are completed.
type unheeded struct {
	made   edge.Invalidations
	struck func(id string)
	told   sync.Map // the ids of those that were completed
}

// Invalidations implements edge.Invalidations.
func (u *unheeded) Invalidations(distribution string) []fakeaws.Invalidation {
	all := slices.Clone(u.made.Invalidations(distribution))
	for i := range all {
		if all[i].Status != invalidationCompleted {
			continue
		}
		all[i].Status = "InProgress"
		if _, before := u.told.LoadOrStore(all[i].ID, true); !before {
			u.struck(all[i].ID)
		}
	}
	return all
}
