namespace KeyEvt.Simulation.Broker;

/// <summary>A message as a consumer gets it.</summary>
/// <param name="From">The program that has published it.</param>
internal sealed record BrokerMessage(string From, string Id, string Body);
