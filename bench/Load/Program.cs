// Which scenario is run, how long? dotnet run -c Release --project bench/Load -- proxy [--rounds 5] [--requests 100000]
using System.Globalization;
using KeyEvt.Bench.Load.Clients;
using KeyEvt.Bench.Load.Forward;
using KeyEvt.Bench.Load.Group;
using KeyEvt.Bench.Load.Proxies;
using KeyEvt.Bench.Load.Scenario;

switch (args)
{
    case ["ceiling", var amqp, var routingKey, var warmUp, var count]:
        await CeilingWorker.RunAsync(amqp, routingKey, int.Parse(warmUp, CultureInfo.InvariantCulture), int.Parse(count, CultureInfo.InvariantCulture));
        return 0;
    case ["baseline", var redis, var amqp, var routingKey]:
        await BaselineWorker.RunAsync(redis, amqp, routingKey);
        return 0;
}

// To add a scenario: a class with IScenario, and a line here.
IScenario[] scenarios = [new ProxyScenario(), new ForwardScenario(), new IdleScenario(), new OpeningScenario(), new BuildsScenario(), new GroupScenario()];

var scenario = scenarios.FirstOrDefault(known => args is [var name, ..] && known.Name == name);
if (scenario is null || !LoadSettings.TryParse(args[1..], out var settings))
{
    Console.Error.WriteLine("usage: load <scenario> [--rounds N] [--requests N] [--shapes 50x1x32,50x16x32] [--ways keyevt,haproxy] [--builds file,file]");
    foreach (var known in scenarios) Console.Error.WriteLine($"  {known.Name,-10} {known.Meaning}");
    return 2;
}

#if DEBUG
Console.Error.WriteLine("this is a Debug build: its figures mean nothing (dotnet run -c Release)");
#endif
Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{scenario.Name}: {settings.Rounds} rounds"));
Console.WriteLine(await scenario.RunAsync(settings));
return 0;
