import Testing

@testable import TLSClient

@Suite struct TLSMaterialTests {
    @Test func materialKeepsItsNames() {
        #expect(TLSMaterial().authorities.isEmpty)
    }
}
