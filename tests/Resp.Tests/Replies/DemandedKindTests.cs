// Does each way to read a reply refuse what is of another kind, and say what it wanted?
using KeyEvt.Resp.Replies;
using Xunit;

namespace KeyEvt.Resp.Tests.Replies;

public sealed class DemandedKindTests
{
    private delegate void Reading(ref RespReplyReader reader);

    private static readonly Dictionary<string, Reading> Readings = new()
    {
        ["an array"] = static (ref reader) => reader.ReadArrayHeader(),
        ["a map"] = static (ref reader) => reader.ReadMapHeader(),
        ["a string"] = static (ref reader) => reader.ReadBulk(),
        ["a simple string"] = static (ref reader) => reader.ReadSimple(),
        ["an error"] = static (ref reader) => reader.ReadError(),
        ["an integer"] = static (ref reader) => reader.ReadInteger(),
        ["a double"] = static (ref reader) => reader.ReadDouble(),
        ["a boolean"] = static (ref reader) => reader.ReadBoolean(),
        ["a big number"] = static (ref reader) => reader.ReadBigNumber(),
        ["null"] = static (ref reader) => reader.ReadNull(),
    };

    private static readonly Dictionary<string, (string Wire, string[] ReadAs)> Frames = new()
    {
        [nameof(RespKind.Array)] = ("*0\r\n", ["an array", "a map"]),
        [nameof(RespKind.Set)] = ("~0\r\n", ["an array"]),
        [nameof(RespKind.Push)] = (">0\r\n", ["an array"]),
        [nameof(RespKind.Map)] = ("%0\r\n", ["a map"]),
        [nameof(RespKind.SimpleString)] = ("+1\r\n", ["a string", "a simple string"]),
        [nameof(RespKind.Bulk)] = ("$1\r\n1\r\n", ["a string"]),
        [nameof(RespKind.Verbatim)] = ("=5\r\ntxt:1\r\n", ["a string"]),
        [nameof(RespKind.Error)] = ("-1\r\n", ["an error"]),
        [nameof(RespKind.Integer)] = (":1\r\n", ["an integer"]),
        [nameof(RespKind.Double)] = (",1\r\n", ["a double"]),
        [nameof(RespKind.Boolean)] = ("#t\r\n", ["a boolean"]),
        [nameof(RespKind.BigNumber)] = ("(1\r\n", ["a big number"]),
        [nameof(RespKind.Null)] = ("_\r\n", ["null"]),
        [nameof(RespKind.End)] = ("", []),
    };

    public static TheoryData<string, string> All { get; } = [.. Readings.Keys.SelectMany(wanted => Frames.Keys.Select(got => (wanted, got)))];

    [Theory]
    [MemberData(nameof(All))]
    public void A_reading_takes_its_own_kinds_and_names_what_it_wanted_instead_of_others(string wanted, string got)
    {
        var (wire, readAs) = Frames[got];
        var reader = new RespReplyReader(Latin1.Bytes(wire));
        if (readAs.Contains(wanted))
        {
            Readings[wanted](ref reader);
            Assert.Equal(wire.Length, reader.Consumed);
            return;
        }

        RespProtocolException? refusal = null;
        try
        {
            Readings[wanted](ref reader);
        }
        catch (RespProtocolException e)
        {
            refusal = e;
        }

        Assert.Equal($"Protocol error in a reply: expected {wanted}, got {got}", refusal?.Message);
        Assert.Equal(0, reader.Consumed);
    }

    [Fact]
    public void Nothing_can_be_passed_over_behind_the_last_element()
    {
        var refusal = Assert.Throws<RespProtocolException>(static () => new RespReplyReader(""u8).Skip());
        Assert.Equal("Protocol error in a reply: expected an element, got End", refusal.Message);
    }

    [Theory]
    [InlineData(",inf\r\n", double.PositiveInfinity)]
    [InlineData(",-inf\r\n", double.NegativeInfinity)]
    [InlineData(",nan\r\n", double.NaN)]
    [InlineData(",-1.5e3\r\n", -1500.0)]
    public void A_double_is_read(string frame, double value) => Assert.Equal(value, new RespReplyReader(Latin1.Bytes(frame)).ReadDouble());

    [Theory]
    [InlineData(",1x\r\n")]
    [InlineData(",\r\n")]
    [InlineData(",inf \r\n")]
    public void What_is_no_number_is_not_read_as_a_double(string frame) =>
        Assert.Throws<RespProtocolException>(() => new RespReplyReader(Latin1.Bytes(frame)).ReadDouble());

    [Theory]
    [InlineData("#x\r\n")]
    [InlineData("#\r\n")]
    [InlineData("#tt\r\n")]
    [InlineData("#ff\r\n")]
    public void What_is_neither_true_nor_false_is_not_read_as_a_boolean(string frame) =>
        Assert.Throws<RespProtocolException>(() => new RespReplyReader(Latin1.Bytes(frame)).ReadBoolean());
}
