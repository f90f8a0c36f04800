package invalidation

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"blog-deploy-pipeline/lambdas/contract"
)

func TestMetrics(t *testing.T) {
	for _, tt := range []struct {
		name   string
		result Result
		want   string
	}{
		{"completed", Result{Took: 1500 * time.Millisecond}, `"` + contract.MetricFailed + `":0,"` + contract.MetricLate + `":0,"` + contract.MetricSeconds + `":1.5,`},
		{"failed", Result{Failed: true}, `"` + contract.MetricFailed + `":1,"` + contract.MetricLate + `":0,"_aws"`},
		{"late", Result{Failed: true, Late: true}, `"` + contract.MetricFailed + `":1,"` + contract.MetricLate + `":1,"_aws"`},
	} {
		var out strings.Builder
		slog.New(slog.NewJSONHandler(&out, nil)).Info("finished", Metrics(contract.DimensionBlog, "my-blog", tt.result))
		if !strings.Contains(out.String(), tt.want) {
			t.Errorf("%s: counted %s, want %s in it", tt.name, out.String(), tt.want)
		}
	}
}
