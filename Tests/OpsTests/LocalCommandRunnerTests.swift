import Ops
import Testing

struct LocalCommandRunnerTests {
  private let runner = LocalCommandRunner()

  @Test func handsOverArgumentsInputAndEnvironment() async throws {
    let result = try await runner.run(
      Invocation(
        "sh", ["-c", "cat; echo \"$1 $NAME\"; echo wrong >&2; exit 3", "sh", "a b"], environment: ["NAME": "value"],
        input: "input\n"))
    #expect(result == CommandResult(status: 3, output: "input\na b value\n", complaint: "wrong\n"))
  }

  @Test func saysWhatIsNotInstalled() async {
    await #expect(throws: CommandError.self) { try await runner.run(Invocation("no-such-program", [])) }
    do {
      _ = try await runner.run(Invocation("no-such-program", []))
    } catch {
      #expect(error.description == "no-such-program is not installed, or not in PATH")
    }
  }

  @Test func endsWhatDoesNotEnd() async {
    do {
      _ = try await runner.run(Invocation("sleep", ["600"], deadline: 1))
      Issue.record("it ended")
    } catch {
      #expect(error.description == "sleep 600: no answer within 1 s")
    }
  }

  @Test func aLongAnswerArrivesWhole() async throws {
    let result = try await runner.run(Invocation("sh", ["-c", "head -c 3000000 /dev/zero | tr '\\0' x"]))
    #expect(result.output.utf8.count == 3_000_000)
  }

  /// ssh whose connection breaks does not read on; what it said is the answer, and this process lives.
  @Test func aProgramThatDoesNotReadItsInputIsHeard() async throws {
    let result = try await runner.run(
      Invocation("sh", ["-c", "echo gone >&2; exit 255"], input: String(repeating: "x", count: 4_000_000)))
    #expect(result == CommandResult(status: 255, output: "", complaint: "gone\n"))
  }

  @Test func linesAreAsTheyWouldBeTyped() {
    #expect(Invocation("kubectl", ["get", "a b", "it's", ""]).line == "kubectl get 'a b' 'it'\\''s' ''")
  }
}
