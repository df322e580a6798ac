{{- /* 30 characters at most, so that a reasoner's name fits behind it; what is cut keeps a digest, or two
       releases would be one. */ -}}
{{- define "racro.fullname" -}}
{{- $name := ternary .Release.Name (printf "%s-racro" .Release.Name) (contains "racro" .Release.Name) -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if gt (len $name) 30 -}}
{{- printf "%s-%s" ($name | trunc 23 | trimSuffix "-") ($name | sha256sum | trunc 6) -}}
{{- else -}}
{{- $name -}}
{{- end -}}
{{- end -}}

{{- /* All that follow take {root, component}: gateway, captioner, redis, reasoner-<name>. */ -}}
{{- define "racro.name" -}}
{{ include "racro.fullname" .root }}-{{ .component }}
{{- end -}}

{{- define "racro.selector" -}}
app.kubernetes.io/name: racro
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "racro.labels" -}}
{{ include "racro.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end -}}

{{- define "racro.metadata" -}}
name: {{ include "racro.name" . }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "racro.labels" . | nindent 2 }}
{{- end -}}

{{- /* {root, repository}: one of ours. */ -}}
{{- define "racro.image" -}}
{{- $images := .root.Values.images -}}
{{- if $images.registry }}{{ $images.registry }}/{{ end }}{{ .repository }}:{{ $images.tag | default .root.Chart.AppVersion }}
{{- end -}}

{{- define "racro.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "racro.metadata" . | nindent 2 }}
automountServiceAccountToken: false
{{- end -}}

{{- /* One that is left may go: a drained node waits for nobody for ever. */ -}}
{{- define "racro.disruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "racro.metadata" . | nindent 2 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "racro.selector" . | nindent 6 }}
{{- end -}}

{{- /* {root, component, user}: of a pod, by the standard "restricted". */ -}}
{{- define "racro.podSecurity" -}}
serviceAccountName: {{ include "racro.name" . }}
automountServiceAccountToken: false
# Variables of other Services would be taken for settings.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .user }}
  runAsGroup: {{ .user }}
  fsGroup: {{ .user }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .root.Values.images.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- include "racro.selector" . | nindent 8 }}
{{- end -}}

{{- define "racro.containerSecurity" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: {{ .readOnly }}
capabilities: {drop: [ALL]}
{{- end -}}

{{- /* Where pods go: {nodeSelector, tolerations, affinity, priorityClassName}. */ -}}
{{- define "racro.placement" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{- /* Of each of our services, on the port named http: a process that hangs is started again, one that
       waits for another is not. */ -}}
{{- define "racro.lifecycle" -}}
startupProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 2
  failureThreshold: 60
readinessProbe:
  httpGet: {path: /readyz, port: http}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
livenessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
lifecycle:
  preStop:
    sleep: {seconds: {{ .Values.preStopSeconds }}}
{{- end -}}

{{- /* Who has not heard of the end is served for 30 seconds more, and may take as long as anybody. */ -}}
{{- define "racro.shutdownTimeout" -}}
{{ add .Values.longestRequestSeconds 30 }}
{{- end -}}

{{- /* The pod has preStop, the time in which its service ends, and a little for its engine. */ -}}
{{- define "racro.gracePeriod" -}}
{{ add .Values.preStopSeconds (include "racro.shutdownTimeout" .) 30 }}
{{- end -}}

{{- define "racro.tracing" -}}
{{- with .Values.tracing -}}
{{- if .endpoint -}}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ .endpoint | quote }}}
- {name: OTEL_TRACES_SAMPLER, value: parentbased_traceidratio}
- {name: OTEL_TRACES_SAMPLER_ARG, value: {{ .sampleRatio | quote }}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* {name, key} of a Secret, as the variable `variable`; nothing where none is named. */ -}}
{{- define "racro.fromSecret" -}}
{{- if .secret.name -}}
- name: {{ .variable }}
  valueFrom: {secretKeyRef: {name: {{ .secret.name }}, key: {{ .secret.key }}}}
{{- end -}}
{{- end -}}

{{- /* {name} of a reasoner: what its objects are called after. */ -}}
{{- define "racro.reasonerComponent" -}}
reasoner-{{ .name | replace "." "-" }}
{{- end -}}

{{- define "racro.apiKeyVariable" -}}
API_KEY_{{ .name | upper | replace "-" "_" | replace "." "_" }}
{{- end -}}

{{- define "racro.cacheUrl" -}}
{{- if .Values.redis.url -}}
{{ .Values.redis.url }}
{{- else if .Values.redis.bundled -}}
redis://{{ include "racro.fullname" . }}-redis:6379/0
{{- else -}}
memory://
{{- end -}}
{{- end -}}

{{- /* What no schema can say. */ -}}
{{- define "racro.check" -}}
{{- $tenants := .Values.gateway.tenants -}}
{{- if and (not $tenants.open) (not $tenants.keysSecret.name) -}}
{{- fail "gateway.tenants: name keysSecret, the Secret with the API keys (docs/cache.md), or let anybody in: open: true" -}}
{{- end -}}
{{- if and $tenants.open $tenants.keysSecret.name -}}
{{- fail "gateway.tenants: open and keysSecret.name exclude each other" -}}
{{- end -}}
{{- $shared := or .Values.redis.url .Values.redis.bundled -}}
{{- if and $tenants.keysSecret.name $shared (not $tenants.cacheSecret.name) (not (dig "cache" "share" false .Values.gateway.settings)) -}}
{{- fail "gateway.tenants.cacheSecret.name: needed where tenants share a Redis, or gateway.settings.cache.share: true" -}}
{{- end -}}
{{- if and .Values.redis.url .Values.redis.bundled -}}
{{- fail "redis: url and bundled exclude each other: set bundled: false" -}}
{{- end -}}
{{- if and .Values.redis.passwordSecret.name (not .Values.redis.url) -}}
{{- fail "redis.passwordSecret: for the Redis at redis.url; the bundled one has no password, NetworkPolicies guard it" -}}
{{- end -}}
{{- if and .Values.captioner.url .Values.captioner.settings -}}
{{- fail "captioner: url and settings exclude each other: one that runs elsewhere has its own" -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- fail "httpRoute.parentRefs: name the Gateway that it belongs to" -}}
{{- end -}}
{{- with .Values.gateway.autoscaling -}}
{{- if gt (int .minReplicas) (int .maxReplicas) -}}
{{- fail "gateway.autoscaling: minReplicas is more than maxReplicas" -}}
{{- end -}}
{{- end -}}
{{- if not (regexMatch "^[a-z]([a-z0-9-]*[a-z0-9])?$" (include "racro.fullname" .)) -}}
{{- fail (printf "%s is no name for a Service: begin with a letter, use letters, digits and -; or set fullnameOverride" .Release.Name) -}}
{{- end -}}
{{- $components := list -}}
{{- range .Values.reasoners -}}
{{- $component := include "racro.reasonerComponent" . -}}
{{- if has $component $components -}}
{{- fail (printf "reasoners: two are named %s, or differ by . and - only" .name) -}}
{{- end -}}
{{- $components = append $components $component -}}
{{- if .urls -}}
{{- if not .model -}}{{- fail (printf "reasoners: %s has urls and needs model, its name at those servers" .name) -}}{{- end -}}
{{- if .settings -}}{{- fail (printf "reasoners: %s: urls and settings exclude each other: one that runs elsewhere has its own" .name) -}}{{- end -}}
{{- else if or .model .apiKeySecret -}}
{{- fail (printf "reasoners: %s: model and apiKeySecret are for one that runs elsewhere, which has urls" .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
