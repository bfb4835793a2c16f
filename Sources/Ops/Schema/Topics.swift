/// What an operator wants to know beyond single keys; among it advice that is often given and does harm here.
package enum Topics {
  /// A page.
  package struct Topic: Sendable {
    package var name: String
    package var paragraphs: [String]
  }

  /// All pages.
  package static let all: [Topic] = general + nodes

  private static let general: [Topic] = [
    Topic(
      name: "secrets",
      paragraphs: [
        "Secrets are references: { fromEnv: NAME }, { fromFile: path } or { fromSecret: name/key }.",
        "apply reads them, hands them to kubectl on its standard input and forgets them. They are never in arguments, "
          + "rendered files, plans or logs. check and render need none of them. plan compares them in memory and names the "
          + "keys that differ; a digest of all of them in the pod template makes a changed password a rollout.",
      ]),
    Topic(
      name: "rollout",
      paragraphs: [
        "The DaemonSet replaces one node's pod at a time, without a surge, because two pods cannot share a hostPort.",
        "apply waits until every desired pod is ready, with a deadline. If they do not become ready, the reason, the "
          + "events and the last lines of the log are printed and the previous generation comes back by itself.",
      ]),
    Topic(
      name: "allow",
      paragraphs: [
        "Features that harm small nodes are refused with the reason and the limit. --allow FEATURE takes one anyway.",
        "The option is repeatable and has to be given with every command: it is not remembered.",
      ]),
    Topic(
      name: "hostport",
      paragraphs: [
        "nginx takes the ports 80 and 443 of its node by translation (DNAT), not by listening.",
        "So a firewall rule for them belongs into the FORWARD path; INPUT never sees these packets. Pod Security level "
          + "baseline refuses hostPort, hence the namespace is privileged and an admission policy allows 80 and 443 only.",
      ]),
    Topic(
      name: "traefik",
      paragraphs: [
        "k3s brings Traefik and servicelb, which take the ports 80 and 443 on every node.",
        "Deleting them does not help, k3s writes them again at every start: disable: [traefik, servicelb] in the server's "
          + "config.yaml removes them for good. deploy doctor looks for them.",
      ]),
    Topic(
      name: "longhorn",
      paragraphs: [
        "Longhorn wants 4 processors and 4 GiB per node, and copies every block over the network between providers.",
        "Uploads are in the bucket; nothing in this service needs a replicated disk.",
      ]),
    Topic(
      name: "quota",
      paragraphs: [
        "A ResourceQuota counts the namespace, not the node.",
        "A fixed one such as requests.cpu: 1 refuses the pod of the third node. The feature quota computes it from the "
          + "number of edges, with room for one more and for the cleanup job.",
      ]),
    Topic(
      name: "etcd-tuning",
      paragraphs: [
        "quota-backend-bytes=8 GiB is the suggested maximum, not a setting for servers with 2 GB; the default is 2 GiB.",
        "max-request-bytes=10 MiB allows larger requests, it does not keep them out. Leave both alone.",
      ]),
    Topic(
      name: "kubelet-status-frequency",
      paragraphs: [
        "--node-status-update-frequency=10s is the default; setting it changes nothing.",
        "A node counts as lost after 50 seconds without news, whatever this says.",
      ]),
    Topic(
      name: "pause-image",
      paragraphs: [
        "k8s.gcr.io has been frozen since April 2023, and k3s brings its own pause image of 0.3 MB. Leave it alone."
      ]),
    Topic(
      name: "ingress-nginx",
      paragraphs: [
        "ingress-nginx was retired in March 2026 and gets no security fixes.",
        "A central ingress would also carry every byte twice. Every edge ends TLS itself here.",
      ]),
    Topic(
      name: "control-planes",
      paragraphs: [
        "One control node is enough: the edges go on serving without it. Three need one place and a private network.",
        "etcd stalls over slow and lossy ways between providers, and k3s does not support embedded etcd there.",
      ]),
    Topic(
      name: "exit-codes",
      paragraphs: [
        "0: done, or nothing to do. 1: something is wrong. 2: plan found changes. 64: the command line is wrong."
      ]),
  ]
}
