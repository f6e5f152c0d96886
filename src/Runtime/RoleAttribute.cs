namespace AttentionGen;

/// <summary>Gives a parameter of a kernel a role that differs from its name.</summary>
/// <param name="role">The role.</param>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class RoleAttribute(AttentionRole role) : Attribute
{
    /// <summary>The role of the parameter.</summary>
    public AttentionRole Role { get; } = role;
}
