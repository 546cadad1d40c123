// On what does a row of the fault catalogue stand whose broker is scripted?
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

/// <summary>Redis, keyevt and a scripted broker; what every such row asserts at its end.</summary>
internal static class ScriptedStage
{
    public static async Task RunAsync(BrokerScript script, string[] options, Func<Stage, ScriptedBroker, Task> act)
    {
        await using var broker = ScriptedBroker.Start(script);
        var url = string.Create(CultureInfo.InvariantCulture, $"amqp://guest:guest@127.0.0.1:{broker.Port}/");
        await Stage.RunAsync(null, new StageSetting { Events = "$", AmqpUrl = url, Options = options }, async stage =>
        {
            await act(stage, broker);
            Assert.Empty(broker.Faults);
        });
    }

    /// <summary>All of these keys have come, each in its order at its first coming, copies with equal ids, different events with different ids.</summary>
    public static void AssertAllCame(IEnumerable<string> keys, IReadOnlyList<PublishedMessage> published)
    {
        var seen = new HashSet<string>();
        Assert.Equal(keys, published.Select(message => message.Key).Where(seen.Add));
        Assert.All(published.GroupBy(message => message.Key), copies => Assert.Single(copies.Select(message => message.MessageId).Distinct()));
        Assert.Equal(seen.Count, published.Select(message => message.MessageId).Distinct().Count());
    }
}
