/// A seam's implementation has broken its contract.
package struct ContractViolation: Error, CustomStringConvertible {
  package var description: String

  static func check(_ condition: Bool, _ promise: String) throws {
    if !condition { throw ContractViolation(description: promise) }
  }
}
