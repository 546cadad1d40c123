// How does a test cut or slow down the network between the program and RabbitMQ?
using System.Globalization;
using KeyEvt.EndToEnd.Tests.Support;
using KeyEvt.Servers;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

/// <summary>The broker at the other end of a wire. A relay inside a network namespace passes on to it, and the wire leads into that namespace.</summary>
internal static class BrokerOverWire
{
    public static async Task RunAsync(OwnBroker broker, string[] options, Func<Stage, NetworkNamespace, Task> act)
    {
        var (wire, reason) = await NetworkNamespace.TryCreateAsync();
        if (wire is null) Assert.Skip($"no network namespace here: {reason}");

        await using (wire)
        {
            var rabbit = await broker.GetAsync();
            await using var relay = new Relay(rabbit.Port, wire);
            var url = string.Create(CultureInfo.InvariantCulture, $"amqp://guest:guest@{relay.Address}:{relay.Port}/");
            await Stage.RunAsync(rabbit, BrokerFault.Setting(options) with { AmqpUrl = url }, stage => act(stage, wire));
        }
    }
}
