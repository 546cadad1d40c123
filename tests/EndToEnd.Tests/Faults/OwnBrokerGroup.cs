// Which RabbitMQ do tests share that kill, freeze or reconfigure their broker?
using KeyEvt.EndToEnd.Tests.Support;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

/// <summary>
/// One private RabbitMQ for all of them, started once. The tests run one after the other. Each finds the broker running, and puts back what it changed.
/// </summary>
[CollectionDefinition(Name)]
public sealed class OwnBrokerGroup : ICollectionFixture<OwnBroker>
{
    public const string Name = "own broker";
}
