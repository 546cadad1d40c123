// When is the filter asked about a name of few bytes?
using Xunit;

namespace KeyEvt.Resp.Tests.Requests;

public sealed class ShortNameTests
{
    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("xy")]
    public void The_filter_sees_all_of_a_short_name_in_any_pieces(string name)
    {
        var stream = Latin1.Bytes(Latin1.Request(name, "k"));
        foreach (var cuts in Cuts.All(stream.Length)) Assert.Equal([new Asked(name, name.Length, 2)], FramerDriver.Run(stream, cuts).Asked);
    }
}
