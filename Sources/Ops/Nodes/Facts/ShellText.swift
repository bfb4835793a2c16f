/// Words for a shell on a node.
enum ShellText {
  /// In single quotes, whatever it is.
  static func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "'\\''"))'" }

  /// The beginning of every script that a node gets on its standard input. It is one function, called in the last line: a
  /// script that arrives in part is a syntax error and does nothing.
  static let head = """
    main() {
    set -u
    export LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    umask 022
    state=/var/lib/bashupload

    """

  /// Installs packages. A machine that has just been made has others who install: cloud-init is waited for, and so are locks.
  static func install(_ packages: [String]) -> [String] {
    let options = "-oDPkg::Lock::Timeout=300 -oDpkg::Options::=--force-confold"
    return [
      "if command -v cloud-init >/dev/null; then timeout 300 cloud-init status --wait >/dev/null 2>&1 9>&- || true; fi",
      "tries=1",
      "until apt-get update -q >/dev/null 9>&- &&",
      "  apt-get install -y -q \(options) --no-install-recommends \(packages.joined(separator: " ")) >/dev/null 9>&-; do",
      "  if [ $tries -ge 5 ]; then exit 1; fi",
      "  sleep $((tries * 5))",
      "  tries=$((tries + 1))",
      "done",
    ]
  }

  /// Starts or restarts k3s. systemd waits for ever for a server to be ready, and whoever waits with it holds the node's lock.
  static func kubernetes(_ verb: String, _ unit: String) -> [String] {
    [
      "if ! timeout \(startPatience) systemctl \(verb) \(unit) 9>&-; then",
      "  echo '\(unit) did not start, or was not ready within \(startPatience) s: journalctl --unit=\(unit) says why' >&2",
      "  exit 1", "fi",
    ]
  }

  /// Seconds until k3s has to be ready.
  private static let startPatience = 600

  static let tail = """

    }
    main </dev/null

    """
}
