using KeyEvt.Simulation.Redis;

namespace KeyEvt.Simulation.Worlds;

/// <summary>From when on has somebody listened, so that what is not delivered must be told of? It ends when everybody who knew of it has died before anything was kept.</summary>
internal sealed class Promise(World world)
{
    private readonly Dictionary<string, long> _subscribedAt = [];
    private long _leftToOthers;

    /// <summary>Whether somebody has listened: of a group, whether it has had a holder.</summary>
    public bool IsGiven { get; private set; }

    /// <summary>A group has a holder.</summary>
    public void Begin() => IsGiven = true;

    /// <summary>A member has made a fresh claim.</summary>
    /// <param name="claimant">Its name and the number of the claim.</param>
    /// <param name="hasKept">Whether it was told what an earlier holder had kept.</param>
    public void BeginsAnew(string claimant, bool hasKept)
    {
        var since = _subscribedAt.GetValueOrDefault(claimant[..claimant.LastIndexOf('-')]);
        world.Book.BeginsAnew(since);
        if (hasKept)
        {
            world.Book.Excuse("who knew of it cannot tell that nobody else did: see docs/contributing/simulation.md", write => write.At < _leftToOthers);
        }
        else
        {
            _leftToOthers = since; // whoever knew more says so, if it lives on
        }
    }

    /// <summary>The master has subscribed a program.</summary>
    public void Subscribed(VirtualNode node, string name)
    {
        if (node == world.Master) _subscribedAt[name] = world.Time.Now;
    }

    /// <summary>The program has read that.</summary>
    /// <param name="line">What it logs then.</param>
    public void Confirmed(Member member, string line)
    {
        if (!line.Contains($"//{world.Master.Name}:", StringComparison.Ordinal)) return;

        IsGiven |= world.Watch is null;
        member.KnowsSince ??= _subscribedAt.GetValueOrDefault(member.Name, world.Time.Now);
    }

    /// <summary>A node has died. What only it knew, and kept in its memory alone, nobody can tell a program that starts now: also not if the node is replaced before it comes back.</summary>
    public void Died(VirtualNode node)
    {
        if (node.Persistence == NodePersistence.None) EndUnlessKept("the node that knew it has died, and it kept no file");
    }

    /// <summary>Another node has taken the master's place.</summary>
    public void Replaced(VirtualNode old)
    {
        if (old.IsUp || !world.Living.All(static member => member.KnowsSince is null)) return;

        EndUnlessKept("the node that knew it was replaced before anybody could ask it");
    }

    /// <summary>Who was told nothing by an earlier life cannot know what is missing.</summary>
    public void EndUnlessKept(string why)
    {
        world.Book.Excuse("who knew of it has died before it could say so, and nothing was kept", write => write.At < _leftToOthers);
        var mayKeep = Keeps(world.Master) || (!world.Master.IsUp && world.Nodes.Any(Keeps)); // who takes the place of a dead master may have it too
        if (mayKeep) return;

        // What members of a group have heard and not kept, they may all have handed to one that has died.
        var since = world.Living.Min(static member => member.KnowsSince) ?? long.MaxValue;
        world.Book.Excuse(why, write => world.Watch is not null || write.At < since);
        IsGiven &= since < long.MaxValue;
    }

    /// <summary>Whether the node has kept how far a program has read, and still has it: in its memory, or in a file.</summary>
    private static bool Keeps(VirtualNode node) => (node.IsUp || node.Persistence != NodePersistence.None) && node.Data.Strings.Keys.Any(static key => key.Contains("-state", StringComparison.Ordinal));
}
