import ArgumentParser
import CheckModel
import ConnectAPI
import Testing

@testable import connectd

@Suite struct VantageArgumentsTests {
    @Test func selectors() throws {
        let fra = try #require(PlaceName("fra1"))
        #expect(try VantageArguments.selectors(of: ["here,fra1"]) == [.here, .place(fra)])
        #expect(try VantageArguments.selectors(of: []).isEmpty)
    }

    @Test(arguments: [
        ("region=us", ["region": "us"], nil), ("region=us:2", ["region": "us"], 2),
        ("region=us&tier=edge:1000", ["region": "us", "tier": "edge"], 1000),
        // A limit is a number: everything else belongs to the value.
        ("url=http://a", ["url": "http://a"], nil), ("empty=", ["empty": ""], nil),
    ])
    func labels(text: String, labels: [String: String], limit: Int?) throws {
        #expect(try VantageArguments.selectors(of: [text]) == [.labels(labels, limit: limit)])
    }

    @Test(arguments: ["", "a.b", "here,", "any", "=us", "a=1&a=2", "a=1&", "region=us:0", "region=us:1001", "fra1 "])
    func wrongValues(text: String) {
        #expect(throws: ValidationError.self) { try VantageArguments.selectors(of: [text]) }
    }

    @Test func anyIsForChecksAlone() throws {
        guard case .any = try VantageArguments.places(of: ["any"]) else {
            Issue.record("any is any instance")
            return
        }
        #expect(throws: ValidationError.self) { try VantageArguments.places(of: ["any,fra1"]) }
        #expect(throws: ValidationError.self) { try VantageArguments.places(of: ["any", "fra1"]) }
    }
}
