import Ops
import Testing

struct DeployVerbTests {
  @Test func everyVerbOfTheDesignIsKnown() {
    let verbs =
      "init check plan apply status verify watch drain undrain upgrade rollback backup restore doctor explain render destroy"
    #expect(Set(DeployVerb.allCases.map(\.rawValue)) == Set(verbs.split(separator: " ").map(String.init)))
  }

  @Test(arguments: DeployVerb.allCases)
  func saysWhatItDoesNotDoYet(_ verb: DeployVerb) {
    #expect(verb.notManagedYet.hasPrefix("deploy \(verb.rawValue): not managed yet"))
  }
}
