"""Pod Security "restricted", rule by rule: https://kubernetes.io/docs/concepts/security/pod-security-standards/."""

SAFE_SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
}
VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
SELINUX = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
CONFINED = {"RuntimeDefault", "Localhost"}
APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


def containers_of(pod: dict) -> list[dict]:
    return [item for kind in ("initContainers", "containers", "ephemeralContainers") for item in pod.get(kind, [])]


def violations(pod: dict, annotations: dict[str, str] | None = None) -> set[str]:
    """The names of the rules that the pod's specification violates."""
    found = {f"host namespaces: {name}" for name in ("hostNetwork", "hostPID", "hostIPC") if pod.get(name)}
    for volume in pod.get("volumes", []):
        if not volume.keys() & VOLUMES:
            found.add(f"volume types: {volume['name']}")
    for name, value in (annotations or {}).items():
        if name.startswith(APPARMOR) and value != "runtime/default" and not value.startswith("localhost/"):
            found.add("AppArmor")
    of_pod = pod.get("securityContext", {})
    found |= of_any_context(of_pod)
    found |= {f"sysctls: {item['name']}" for item in of_pod.get("sysctls", []) if item["name"] not in SAFE_SYSCTLS}
    for container in containers_of(pod):
        found |= of_container(container, of_pod)
    return found


def of_any_context(context: dict) -> set[str]:
    """A field that a pod's security context may have as well as a container's."""
    found = set()
    if context.get("windowsOptions", {}).get("hostProcess"):
        found.add("host process")
    if context.get("appArmorProfile", {}).get("type", "RuntimeDefault") not in CONFINED:
        found.add("AppArmor")
    selinux = context.get("seLinuxOptions", {})
    if selinux.get("type", "") not in SELINUX or selinux.get("user") or selinux.get("role"):
        found.add("SELinux")
    if context.get("seccompProfile", {}).get("type", "RuntimeDefault") not in CONFINED:
        found.add("seccomp")
    if context.get("runAsUser") == 0:
        found.add("runs as 0")
    return found


def of_container(container: dict, of_pod: dict) -> set[str]:
    context = container.get("securityContext", {})
    found = of_any_context(context)
    if context.get("privileged"):
        found.add("privileged")
    if context.get("procMount", "Default") != "Default":
        found.add("proc mount")
    if context.get("allowPrivilegeEscalation") is not False:
        found.add("privilege escalation")
    if context.get("runAsNonRoot", of_pod.get("runAsNonRoot")) is not True:
        found.add("may run as root")
    if "seccompProfile" not in {**of_pod, **context}:
        found.add("seccomp")
    capabilities = context.get("capabilities", {})
    if "ALL" not in capabilities.get("drop", []) or set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
        found.add("capabilities")
    if any(port.get("hostPort") for port in container.get("ports", [])):
        found.add("host ports")
    handlers = [container.get(f"{name}Probe", {}) for name in ("readiness", "liveness", "startup")]
    handlers += container.get("lifecycle", {}).values()
    if any(handler.get(kind, {}).get("host") for handler in handlers for kind in ("httpGet", "tcpSocket")):
        found.add("host of a probe")
    return found
