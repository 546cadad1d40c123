using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Monitors;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>What is known of a server's letters, beside what its version promises?</summary>
public sealed class NodeLettersTests
{
    [Fact]
    public void A_letter_that_is_on_exists_whatever_the_version_promises()
    {
        var letters = new NodeLetters();
        letters.Identify(ServerEvents.Of("redis", "8.0"));
        Assert.Equal((EventClass.None, EventClass.Array), (letters.Has(EventClass.Array), letters.Lacks(EventClass.Array)));
        Assert.Equal(EventClassTable.Redis, letters.Classes);

        letters.Shown(EventClass.Array | EventClass.String);
        Assert.Equal((EventClass.Array, EventClass.None), (letters.Has(EventClass.Array), letters.Lacks(EventClass.Array)));
        Assert.Equal(EventClassTable.RedisWithArrays, letters.Classes);
        Assert.True(letters.Server.All.HasFlag(EventClass.Array)); // from here on A means it too
    }
}
