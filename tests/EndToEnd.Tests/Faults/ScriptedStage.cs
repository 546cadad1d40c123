// What do tests need whose broker is scripted?
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

/// <summary>Starts Redis, the program and a scripted broker. At the end it asserts that the broker saw no fault of protocol.</summary>
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

    /// <summary>Asserts that all of these keys have come. First copies are in order, copies have equal ids, and different events have different ids.</summary>
    public static void AssertAllCame(IEnumerable<string> keys, IReadOnlyList<PublishedMessage> published)
    {
        var seen = new HashSet<string>();
        Assert.Equal(keys, published.Select(message => message.Key).Where(seen.Add));
        Assert.All(published.GroupBy(message => message.Key), copies => Assert.Single(copies.Select(message => message.MessageId).Distinct()));
        Assert.Equal(seen.Count, published.Select(message => message.MessageId).Distinct().Count());
    }
}
