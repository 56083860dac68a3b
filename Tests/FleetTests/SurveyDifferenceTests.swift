import StrictJSON
import Testing

@testable import Fleet

@Suite struct SurveyDifferenceTests {
    private func source(_ place: String, _ change: (inout SurveyFinding) -> Void) -> SurveyDifference.Source {
        var finding = SurveyFinding()
        change(&finding)
        return SurveyDifference.Source(place: place, finding: finding)
    }

    @Test func sameEverywhereIsNone() {
        let sources = ["a", "b"].map { place in
            source(place) {
                $0.resolvedAddresses = ["10.0.0.7"]
                $0.attempts = ["10.0.0.7"]
                $0.certificates = ["aa", "bb"]
            }
        }
        #expect(SurveyDifference.all(among: sources).isEmpty)
    }

    @Test func certificatesByTheirPlaceInTheChain() {
        let found = SurveyDifference.all(among: [
            source("a") { $0.certificates = ["xx", "bb"] },
            source("b") { $0.certificates = ["aa", "bb"] },
            source("c") { $0.certificates = ["aa", "bb"] },
            // It did not begin TLS.
            source("d") { _ in },
        ])
        #expect(
            found == [
                SurveyDifference(
                    pointer: "/tls/chain/0/sha256",
                    values: [
                        .init(value: .string("aa"), places: ["b", "c"]), .init(value: .string("xx"), places: ["a"]),
                    ])
            ])
    }

    @Test func shorterChainHasNull() {
        let found = SurveyDifference.all(among: [
            source("a") { $0.certificates = ["aa", "bb"] }, source("b") { $0.certificates = ["aa"] },
        ])
        #expect(found.map(\.pointer) == ["/tls/chain/1/sha256"])
        #expect(found.first?.values.last == .init(value: .null, places: ["b"]))
    }

    @Test func resolvedAddressesAndAttempts() {
        let found = SurveyDifference.all(among: [
            source("a") {
                $0.resolvedAddresses = ["10.0.0.7"]
                $0.attempts = ["10.0.0.7"]
            },
            source("b") {
                $0.resolvedAddresses = ["10.0.0.8"]
                $0.attempts = ["10.0.0.8"]
            },
        ])
        #expect(found.map(\.pointer) == ["/resolution/addresses", "/attempts/0/address"])
        #expect(found.first?.values.first?.value == .array([.string("10.0.0.7")]))
    }

    @Test func placesWithoutAddressesAreNotCompared() {
        let found = SurveyDifference.all(among: [
            source("a") {
                $0.resolvedAddresses = ["10.0.0.7"]
                $0.attempts = ["10.0.0.7"]
            },
            source("b") { _ in },
        ])
        #expect(found.isEmpty)
    }
}
