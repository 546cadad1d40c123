using System.Globalization;

namespace KeyEvt.Simulation.Redis;

/// <summary>What does a node answer? To each command that a feed gives, in the words of Redis 7.</summary>
internal sealed class NodeCommands(VirtualNode node)
{
    private const string Version = "7.2.4";

    public void Answer(NodeClient client, string[] command)
    {
        var name = command[0].ToUpperInvariant();
        if (node.Mood == NodeMood.Busy && name != "HELLO")
        {
            client.Say(RespText.Error("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."));
        }
        else if (node.Refused.Contains(name == "CONFIG" ? $"{name}|{command[1].ToUpperInvariant()}" : name))
        {
            client.Say(RespText.Error($"NOPERM User default has no permissions to run the '{command[0].ToLowerInvariant()}' command"));
        }
        else if (node.IsLoading && name is not ("HELLO" or "INFO" or "ROLE" or "CONFIG" or "SUBSCRIBE" or "PSUBSCRIBE" or "UNSUBSCRIBE" or "PUNSUBSCRIBE"))
        {
            client.Say(RespText.Error("LOADING Redis is loading the dataset in memory"));
        }
        else
        {
            Do(client, name, command);
        }
    }

    private void Do(NodeClient client, string name, string[] command)
    {
        switch (name)
        {
            case "HELLO":
                client.IsRespThree = true;
                client.Say(RespText.Map(
                    RespText.Bulk("server"), RespText.Bulk("redis"), RespText.Bulk("version"), RespText.Bulk(Version), RespText.Bulk("mode"), RespText.Bulk("standalone"),
                    RespText.Bulk("role"), RespText.Bulk(node.Master is null ? "master" : "replica")));
                break;
            case "CLIENT" or "READONLY" or "AUTH":
                client.Say(RespText.Ok);
                break;
            case "PING":
                client.Say("+PONG\r\n");
                break;
            case "INFO":
                client.Say(RespText.Bulk(Info()));
                break;
            case "ROLE":
                client.Say(Role());
                break;
            case "CONFIG" when command[1].Equals("GET", StringComparison.OrdinalIgnoreCase):
                node.ConfigGets++;
                client.Say(RespText.Map(RespText.Bulk(command[2]), RespText.Bulk(node.Flags.ToString())));
                break;
            case "CONFIG":
                node.SetFlags(command[3]);
                client.Say(RespText.Ok);
                break;
            case "GET":
                client.Say(node.Data.Strings.TryGetValue(command[1], out var value) ? RespText.Bulk(value) : RespText.Null);
                break;
            case "SET":
                Set(client, command);
                break;
            case "PUBLISH":
                Publish(client, command[1], command[2]);
                break;
            default:
                Subscription(client, name, command[1]);
                break;
        }
    }

    private void Set(NodeClient client, string[] command)
    {
        if (node.Master is not null)
        {
            client.Say(RespText.Error("READONLY You can't write against a read only replica."));
            return;
        }

        var before = node.Data.Strings.TryGetValue(command[1], out var old) ? RespText.Bulk(old) : RespText.Null;
        node.SetString(command[1], command[2]);
        client.Say(command.Length > 3 ? before : RespText.Ok);
    }

    private void Publish(NodeClient client, string channel, string message)
    {
        if (node.AnswersFirst)
        {
            client.Say(RespText.Number(node.Clients.Count(one => one.Channels.Contains(channel))));
            node.Publish(channel, message);
        }
        else
        {
            client.Say(RespText.Number(node.Publish(channel, message)));
        }
    }

    private void Subscription(NodeClient client, string name, string what)
    {
        var list = name switch
        {
            "SUBSCRIBE" or "UNSUBSCRIBE" => client.Channels,
            "PSUBSCRIBE" or "PUNSUBSCRIBE" => client.Patterns,
            _ => throw new InvalidOperationException($"the node does not know {name}"),
        };
        list.Remove(what);
        if (!name.Contains("UNSUB", StringComparison.Ordinal)) list.Add(what);
        client.Say(string.Create(CultureInfo.InvariantCulture, $"{(client.IsRespThree ? '>' : '*')}3\r\n") + RespText.Bulk(name.ToLowerInvariant()) + RespText.Bulk(what) + RespText.Number(client.Channels.Count + client.Patterns.Count));
        if (name == "PSUBSCRIBE") node.Subscribed(node, client.Owner);
    }

    private string Role() => node.Master is null
        ? RespText.Array(RespText.Bulk("master"), RespText.Number(0), RespText.Array())
        : RespText.Array(RespText.Bulk("slave"), RespText.Bulk(node.Master.Name), RespText.Number(6379), RespText.Bulk(node.Master.IsUp ? "connected" : "connect"), RespText.Number(0));

    private string Info() => string.Create(CultureInfo.InvariantCulture, $"""
        # Server
        redis_version:{Version}
        run_id:{node.RunId}
        maxmemory:0
        maxmemory_policy:noeviction
        loading:{(node.IsLoading ? 1 : 0)}
        async_loading:0
        role:{(node.Master is null ? "master" : "slave")}
        master_link_status:{(node.Master is { IsUp: true } ? "up" : "down")}
        cmdstat_config|get:calls={node.ConfigGets},usec=1,usec_per_call=1.00,rejected_calls=0,failed_calls=0
        cmdstat_config|set:calls={node.ConfigSets},usec=1,usec_per_call=1.00,rejected_calls=0,failed_calls=0
        """).ReplaceLineEndings("\r\n");
}
