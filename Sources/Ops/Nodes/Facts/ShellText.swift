/// Words for a shell on a node.
enum ShellText {
  /// In single quotes, whatever it is.
  static func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "'\\''"))'" }

  /// The beginning of every script that a node gets on its standard input. It is one function, called in the last line: a
  /// script that arrives in part is a syntax error and does nothing.
  static let head = """
    main() {
    set -u
    export LC_ALL=C DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    umask 022
    state=/var/lib/bashupload

    """

  static let tail = """

    }
    main </dev/null

    """
}
