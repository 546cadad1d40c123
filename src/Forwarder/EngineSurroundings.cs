using KeyEvt.Forwarder.Amqp;
using KeyEvt.Forwarder.Redis;
using StackExchange.Redis;

namespace KeyEvt.Forwarder;

/// <summary>What does the engine reach outside of its own process? Whoever runs it where there is no network gives it something else in place of the sockets.</summary>
/// <param name="Redis">Opens the connections of the feeds, and those to Sentinels.</param>
/// <param name="Broker">Opens the links to the broker.</param>
/// <param name="Lists">Opens the connection for the fallback storage in a node.</param>
internal sealed record EngineSurroundings(IRedisTransport Redis, IBrokerConnector Broker, Func<ConfigurationOptions, Task<IConnectionMultiplexer>> Lists);
