using KeyEvt.Forwarder.Agreement;
using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Filter;

namespace KeyEvt.Simulation.Worlds;

/// <summary>Who gives commands to the programs meanwhile? Several people at once, who change what is forwarded, and where to. What each is told must be true.</summary>
internal sealed class Administrator(World world)
{
    private static readonly KeyMaskSet Usual = KeyMaskSet.Empty.Add([KeyMask.Parse("t:*"u8)]);
    private static readonly KeyMaskSet More = Usual.Add([KeyMask.Parse("u:*"u8)]);

    private readonly Random _random = world.Random;
    private readonly List<(Member Member, Task Command)> _configuring = [];
    private int _configured;

    /// <summary>Gives one command, or two at once.</summary>
    public void Act()
    {
        var able = world.Living.Where(static member => member is { IsEnding: false, Clock.Runs: true }).ToList();
        if (able.Count == 0) return;

        for (var i = _random.Next(3); i >= 0; i--)
        {
            var member = able.Count == 1 ? able[0] : able[_random.Next(able.Count)];
            _ = _random.Next(6) switch
            {
                0 or 1 => GuardAsync(member, () => ConfigureAsync(member)),
                2 or 3 or 4 => GuardAsync(member, () => ConnectAsync(member, _random.Next(2) == 0 ? "b1" : "b2")),
                _ => GuardAsync(member, () => DisconnectAsync(member)),
            };
        }
    }

    /// <summary>At the end: a broker that is there, and a configuration of which everybody knows. What is refused is tried again. So it is for a program that only starts then.</summary>
    public void Conclude()
    {
        foreach (var member in world.Living) _ = ConcludeAsync(member);
        world.Time.After(TimeSpan.FromSeconds(5), ConcludeIfStopped);
    }

    private void ConcludeIfStopped()
    {
        if (world.Living.Any(static member => !member.IsEnding && member.Engine.Control.Config.IsStopped)) Conclude();
        else world.Time.After(TimeSpan.FromSeconds(5), ConcludeIfStopped);
    }

    /// <summary>Whether this configuration wants the events that only administrators want.</summary>
    public static bool WantsMore(ForwarderConfig config) => config.Masks.Equals(More) && config.Events.HasFlag(EventClass.Generic);

    private async Task ConcludeAsync(Member member)
    {
        if (await GuardAsync(member, () => ConnectAsync(member, "b1")).ConfigureAwait(false) || member.IsDead) return;

        world.Time.After(TimeSpan.FromSeconds(1), () => _ = ConcludeAsync(member));
    }

    /// <returns>False if the command was refused.</returns>
    private async Task<bool> GuardAsync(Member member, Func<Task> command)
    {
        try
        {
            await command().ConfigureAwait(false);
        }
        catch (Exception) when (member.IsEnding)
        {
            // A program that ends lets the sessions of its clients end first.
        }
        catch (GroupRefusedException e)
        {
            world.Tell($"{member.Name}: a command is refused: {e.Message}");
            return false;
        }
        catch (Exception e)
        {
            world.Fail($"a command has ended with {e}");
        }

        return true;
    }

    private async Task ConfigureAsync(Member member)
    {
        var (masks, more) = (_random.Next(2) == 0, _random.Next(2) == 0);
        world.Tell($"{member.Name}: masks {(masks ? "more" : "usual")}, classes {(more ? "more" : "usual")}");
        var configuring = member.Engine.Control.ConfigureAsync(config => config with
        {
            Masks = masks ? More : Usual,
            Events = EventClass.String | EventClass.Expired | (more ? EventClass.Generic : EventClass.None),
        });
        _configuring.RemoveAll(static one => one.Member.IsDead || one.Command.IsCompleted);
        var (given, isAlone) = (++_configured, _configuring.Count == 0);
        world.Told = null;
        _configuring.Add((member, configuring));
        await configuring.ConfigureAwait(false);
        var isLast = given == _configured && isAlone; // of several at once nobody knows which was the last
        if (!isLast || member.IsEnding || member.IsDead) return;

        world.Told = config => config.Masks.Equals(masks ? More : Usual) && config.Events.HasFlag(EventClass.Generic) == more;
    }

    private async Task ConnectAsync(Member member, string host)
    {
        var (since, given) = (world.Time.Now, world.Stopped?.Connects());
        world.Tell($"{member.Name}: connect {host}");
        var result = await member.Engine.Control.ConnectAsync(config => config with { Amqp = config.Amqp with { Host = host } }, CancellationToken.None).ConfigureAwait(false);
        if (member.IsDead) return;

        world.Tell($"{member.Name}: connect {host} is answered by {result}");
        if (!member.Engine.Control.Config.IsStopped) world.Stopped?.Connected(given);
        var (code, reason) = (result!.Value.Code, result.Value.Reason);
        var other = host == "b1" ? "@b2:" : "@b1:";
        if (code == 0 && world.ConnectedAt(host) < since)
        {
            world.Fail($"{member.Name} was told that it is connected to {host}, but no connection has come about since it was asked");
        }

        if (code != 0 && reason.Contains(other, StringComparison.Ordinal) && !reason.Contains("another command", StringComparison.Ordinal))
        {
            world.Fail($"{member.Name} was asked to connect to {host}, and told of another: {reason}");
        }
    }

    private async Task DisconnectAsync(Member member)
    {
        world.Tell($"{member.Name}: disconnect");
        var command = member.Engine.Control.DisconnectAsync();
        world.Stopped?.Disconnects(member, command);
        await command.ConfigureAwait(false);
    }
}
