{{- /* A captioner or a reasoner: {root, component, kind: captioner|reasoner, port, model}; `model` is what
       the values say of it. */ -}}
{{- define "racro.model" -}}
{{- $root := .root -}}
{{- $model := mergeOverwrite (dict "settings" dict) (deepCopy $root.Values.modelDefaults) .model -}}
{{- $self := dict "root" $root "component" .component "user" 10001 -}}
{{- $name := include "racro.name" $self -}}
{{- $engine := dig "captioner" "engine" "kind" (dig "engine" "kind" "" $model.settings) $model.settings -}}
{{- $repository := ternary $root.Values.images.vllm (get $root.Values.images .kind) (eq $engine "vllm") -}}
{{- $ours := dict
  "host" "0.0.0.0"
  "shutdown_timeout_s" $root.Values.longestRequestSeconds
  "timeout_s" $root.Values.longestRequestSeconds -}}
{{- $settings := mergeOverwrite (deepCopy $model.settings) $ours -}}
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
            {{- include "racro.containerSecurity" (dict "readOnly" $model.readOnlyRootFilesystem) | nindent 12 }}
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
