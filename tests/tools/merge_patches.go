// Computes patches as kubectl and the API server do, with apimachinery's own code: see record_merges.py.
//
// Reads {"cases": […], "documents": {"v1": an OpenAPI v3 document, …}} and writes each case's outcome: the patch or the
// patched object as text, or an error.
package main

import (
	"encoding/json"
	"os"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
	"k8s.io/apimachinery/pkg/util/mergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/kube-openapi/pkg/spec3"
)

type outcome struct {
	Patch string `json:"patch,omitempty"`
	Error string `json:"error,omitempty"`
}

type request struct {
	Operation  string          `json:"operation"`
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Original   json.RawMessage `json:"original"`
	Modified   json.RawMessage `json:"modified"`
	Current    json.RawMessage `json:"current"`
	Overwrite  bool            `json:"overwrite"`
}

// How a kind's fields merge, as its server's OpenAPI document says.
func metaOf(document *spec3.OpenAPI, group, version, kind string) strategicpatch.LookupPatchMeta {
	for _, schema := range document.Components.Schemas {
		var kinds []map[string]string
		if schema.Extensions.GetObject("x-kubernetes-group-version-kind", &kinds) != nil {
			continue
		}
		for _, one := range kinds {
			if one["group"] == group && one["version"] == version && one["kind"] == kind {
				return strategicpatch.PatchMetaFromOpenAPIV3{Schema: schema, SchemaList: document.Components.Schemas}
			}
		}
	}
	panic("no schema for " + kind)
}

func compute(one request, document *spec3.OpenAPI) ([]byte, error) {
	meta := func() strategicpatch.LookupPatchMeta {
		group, version := "", one.APIVersion
		for index := range version {
			if version[index] == '/' {
				group, version = version[:index], version[index+1:]
				break
			}
		}
		return metaOf(document, group, version, one.Kind)
	}
	switch one.Operation {
	case "three":
		return strategicpatch.CreateThreeWayMergePatch(one.Original, one.Modified, one.Current, meta(), one.Overwrite)
	case "two":
		return strategicpatch.CreateTwoWayMergePatchUsingLookupPatchMeta(one.Original, one.Modified, meta())
	case "apply":
		return strategicpatch.StrategicMergePatchUsingLookupPatchMeta(one.Original, one.Modified, meta())
	case "json3":
		return jsonmergepatch.CreateThreeWayJSONMergePatch(
			one.Original, one.Modified, one.Current,
			mergepatch.RequireKeyUnchanged("apiVersion"),
			mergepatch.RequireKeyUnchanged("kind"),
			mergepatch.RequireMetadataKeyUnchanged("name"),
		)
	case "jsonapply":
		patched, err := jsonpatch.MergePatch(one.Original, one.Modified)
		if err != nil {
			return nil, err
		}
		var object any // the object counts, not the order in which its fields were given
		if err := json.Unmarshal(patched, &object); err != nil {
			return nil, err
		}
		return json.Marshal(object)
	case "jsoncreate":
		return jsonpatch.CreateMergePatch(one.Original, one.Modified)
	}
	panic("unknown operation " + one.Operation)
}

func main() {
	var given struct {
		Cases     []request                 `json:"cases"`
		Documents map[string]*spec3.OpenAPI `json:"documents"`
	}
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		panic(err)
	}
	outcomes := make([]outcome, len(given.Cases))
	for index, one := range given.Cases {
		patch, err := compute(one, given.Documents[one.APIVersion])
		switch {
		case err == nil:
			outcomes[index].Patch = string(patch)
		case mergepatch.IsConflict(err):
			outcomes[index].Error = "conflict"
		default:
			outcomes[index].Error = err.Error()
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(outcomes); err != nil {
		panic(err)
	}
}
