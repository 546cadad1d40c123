// How many requests went through the framer?
using Xunit;

namespace KeyEvt.Resp.Tests.Requests;

public sealed class RequestCountTests
{
    public static TheoryData<string, int> Streams { get; } = new()
    {
        { "", 0 },
        { "*0\r\n\r\n*-1\r\n", 0 },
        { "PING\r\n", 1 },
        { "\"se\"t k v\r\nPING\r\n  x\"y\"z a\r\n", 3 },
        { Latin1.Request("GET", "a"), 1 },
        { Latin1.Request("PING") + Latin1.Request("SET", "key:123456", new string('v', 300)) + "PING\r\n" + Latin1.Request("GET", "a"), 4 },
        { Latin1.Request("MODULE", "LIST") + Latin1.Request("GET", "a"), 2 }, // a candidate that is passed
        { Latin1.Request("key_evt_amqp.info") + Latin1.Request("GET", "a"), 1 }, // a candidate that is taken out
        { Latin1.Request("module_of_somebody", "x") + "key_evt_amqp.help\r\nmodule list\r\n", 2 },
    };

    [Theory]
    [MemberData(nameof(Streams))]
    public void Each_request_that_is_forwarded_counts_once_however_the_stream_is_cut(string text, int expected)
    {
        var stream = Latin1.Bytes(text);
        Assert.All(Cuts.All(stream.Length), cuts => Assert.Equal(expected, FramerDriver.Run(stream, cuts).Framer.Requests));
    }
}
