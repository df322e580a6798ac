{{- /* A captioner or a reasoner: {root, component, kind: captioner|reasoner, port, path, model}; `model` is
       what the values say of it at `path`. */ -}}
{{- define "racro.model" -}}
{{- $root := .root -}}
{{- $model := mergeOverwrite (dict "settings" dict) (deepCopy $root.Values.modelDefaults) .model -}}
{{- $self := dict "root" $root "component" .component "user" 10001 -}}
{{- $name := include "racro.name" $self -}}
{{- $engine := dig "captioner" "engine" "kind" (dig "engine" "kind" "" $model.settings) $model.settings -}}
{{- $repository := ternary $root.Values.images.vllm (get $root.Values.images .kind) (eq $engine "vllm") -}}
{{- /* vLLM and its compilers write all over a home. */ -}}
{{- $readOnly := ne $engine "vllm" -}}
{{- $wanted := $model.settings -}}
{{- if eq .kind "reasoner" -}}
{{- $wanted = merge (deepCopy $wanted) (dict "model" $model.name) -}}
{{- end -}}
{{- include "racro.checkModel" (dict "path" .path "model" $model "engine" $engine) -}}
{{- $ours := dict
  "host" "0.0.0.0"
  "shutdown_timeout_s" (include "racro.shutdownTimeout" $root | int)
  "timeout_s" $root.Values.longestRequestSeconds -}}
{{- $settings := mergeOverwrite (deepCopy $wanted) $ours -}}
{{- $claim := $model.modelCache.existingClaim | default (ternary $name "" (ne $model.modelCache.size "")) -}}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "racro.metadata" $self | nindent 2 }}
data:
  {{ .kind }}.yaml: |
    {{- toYaml $settings | nindent 4 }}
---
{{ include "racro.serviceAccount" $self }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "racro.metadata" $self | nindent 2 }}
spec:
  {{- if not $model.autoscaling.enabled }}
  replicas: {{ $model.replicas }}
  {{- end }}
  progressDeadlineSeconds: {{ $model.rollout.deadlineSeconds }}
  strategy:
    rollingUpdate: {maxSurge: {{ $model.rollout.maxSurge }}, maxUnavailable: {{ $model.rollout.maxUnavailable }}}
  selector:
    matchLabels:
      {{- include "racro.selector" $self | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "racro.selector" $self | nindent 8 }}
      annotations:
        checksum/settings: {{ toYaml $settings | sha256sum }}
        {{- with $model.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      {{- include "racro.podSecurity" $self | nindent 6 }}
      {{- include "racro.placement" $model | nindent 6 }}
      {{- with $model.runtimeClassName }}
      runtimeClassName: {{ . }}
      {{- end }}
      terminationGracePeriodSeconds: {{ include "racro.gracePeriod" $root }}
      containers:
        - name: {{ .kind }}
          image: {{ $model.image | default (include "racro.image" (dict "root" $root "repository" $repository)) }}
          imagePullPolicy: {{ $root.Values.images.pullPolicy }}
          command: [python, -m, services.{{ .kind }}]
          env:
            - {name: RACRO_CONFIG, value: /etc/racro/settings/{{ .kind }}.yaml}
            {{- include "racro.fromSecret" (dict "variable" "HF_TOKEN" "secret" $root.Values.huggingFace.tokenSecret) | nindent 12 }}
            {{- include "racro.tracing" $root | nindent 12 }}
            {{- with $model.env }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          ports:
            - {name: http, containerPort: {{ .port }}}
          {{- include "racro.lifecycle" $root | nindent 10 }}
          resources:
            {{- $resources := deepCopy $model.resources }}
            {{- if $model.gpus }}
            {{- $_ := set $resources "limits" (set ($resources.limits | default dict) $model.gpuResource $model.gpus) }}
            {{- end }}
            {{- toYaml $resources | nindent 12 }}
          securityContext:
            {{- include "racro.containerSecurity" (dict "readOnly" $readOnly) | nindent 12 }}
          volumeMounts:
            - {name: settings, mountPath: /etc/racro/settings, readOnly: true}
            - {name: tmp, mountPath: /tmp}
            {{- if eq $engine "vllm" }}
            - {name: models, mountPath: /models}
            {{- end }}
            {{- if $model.sharedMemory }}
            - {name: shared-memory, mountPath: /dev/shm}
            {{- end }}
      volumes:
        - name: settings
          configMap: {name: {{ $name }}}
        - name: tmp
          emptyDir: {}
        {{- if eq $engine "vllm" }}
        - name: models
          {{- if $claim }}
          persistentVolumeClaim: {claimName: {{ $claim }}}
          {{- else }}
          emptyDir: {}
          {{- end }}
        {{- end }}
        {{- with $model.sharedMemory }}
        - name: shared-memory
          emptyDir: {medium: Memory, sizeLimit: {{ . }}}
        {{- end }}
---
apiVersion: v1
kind: Service
metadata:
  {{- include "racro.metadata" $self | nindent 2 }}
spec:
  selector:
    {{- include "racro.selector" $self | nindent 4 }}
  ports:
    - {name: http, port: {{ .port }}, targetPort: http}
---
{{ include "racro.disruptionBudget" $self }}
{{- with $model.modelCache }}
{{- if and .size (not .existingClaim) }}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  {{- include "racro.metadata" $self | nindent 2 }}
  # Weights take hours to fetch; they stay when the release goes.
  annotations: {helm.sh/resource-policy: keep}
spec:
  accessModes: {{ toJson .accessModes }}
  {{- with .storageClassName }}
  storageClassName: {{ . }}
  {{- end }}
  resources: {requests: {storage: {{ .size }}}}
{{- end }}
{{- end }}
{{- with $model.autoscaling }}
{{- if .enabled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "racro.metadata" $self | nindent 2 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ $name }}}
  minReplicas: {{ .minReplicas }}
  maxReplicas: {{ .maxReplicas }}
  metrics:
    - type: Pods
      pods:
        metric: {name: {{ .metric }}}
        target: {type: AverageValue, averageValue: {{ .target | quote }}}
  behavior:
    # A pod that loads for minutes is not given up for a lull.
    scaleDown: {stabilizationWindowSeconds: 900}
{{- end }}
{{- end }}
{{- end -}}

{{- /* What the API would refuse, or nobody would notice: {path, model, engine}. */ -}}
{{- define "racro.checkModel" -}}
{{- $path := .path -}}
{{- $onVllm := eq .engine "vllm" -}}
{{- with .model -}}
{{- if and (eq (int .rollout.maxSurge) 0) (eq (int .rollout.maxUnavailable) 0) -}}
{{- fail (printf "%s.rollout: maxUnavailable must be 1 or more where maxSurge is 0" $path) -}}
{{- end -}}
{{- if gt (int .autoscaling.minReplicas) (int .autoscaling.maxReplicas) -}}
{{- fail (printf "%s.autoscaling: minReplicas is more than maxReplicas" $path) -}}
{{- end -}}
{{- if and .autoscaling.enabled (not $onVllm) -}}
{{- fail (printf "%s.autoscaling: only vLLM engines tell the length of their queue" $path) -}}
{{- end -}}
{{- if $onVllm -}}
{{- $engine := dig "captioner" "engine" (dig "engine" dict .settings) .settings -}}
{{- $needed := mul ($engine.tensor_parallel | default 1) ($engine.pipeline_parallel | default 1) ($engine.data_parallel | default 1) -}}
{{- if ne (int .gpus) (int $needed) -}}
{{- fail (printf "%s.gpus: is %d, its engine takes %d: tensor × pipeline × data parallel" $path (int .gpus) (int $needed)) -}}
{{- end -}}
{{- end -}}
{{- $shared := or (has "ReadWriteMany" .modelCache.accessModes) (has "ReadOnlyMany" .modelCache.accessModes) -}}
{{- if and .modelCache.size (not .modelCache.existingClaim) (not $shared) (or .autoscaling.enabled (gt (int .replicas) 1) (gt (int .rollout.maxSurge) 0)) -}}
{{- fail (printf "%s.modelCache: ReadWriteOnce is for one pod at a time: replicas 1, no autoscaling, rollout.maxSurge 0" $path) -}}
{{- end -}}
{{- end -}}
{{- end -}}
