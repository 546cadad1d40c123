// Which RabbitMQ do the rows B1 to B15 break?
using KeyEvt.EndToEnd.Tests.Support;
using Xunit;

namespace KeyEvt.EndToEnd.Tests.Faults;

/// <summary>One private RabbitMQ for all of them, started once; they run one after the other, and each gets it running and puts back what it changed.</summary>
[CollectionDefinition(Name)]
public sealed class OwnBrokerCollection : ICollectionFixture<OwnBroker>
{
    public const string Name = "rows B";
}
